package Appt::Torture::Oracle;

# What must be true when the torture is over, asked of three witnesses: what
# the clients wrote down, what the database holds, what the receiver got.
#
#   my $oracle = Appt::Torture::Oracle->new(cluster => …, sink => …,
#       files => [...]);
#   $oracle->acknowledged; …      # each a list of what is wrong, empty if well

use strict;
use warnings;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, %arg) = @_;
    my $self = bless {%arg}, $class;
    $self->{lines} = [ map { read_lines($_) } @{ $arg{files} } ];
    return $self;
}

# A client that was ended may have left half a line.
sub read_lines {
    my ($file) = @_;
    open my $fh, '<', $file or die "$file: $!\n";
    return map { eval { $json->decode($_) } // () } <$fh>;
}

# The objects that were answered with a 2xx, each with the line that has it.
sub acknowledgements {
    my ($self) = @_;
    return map {
        my $line = $_;
        map { [ $_, $line ] }
            grep { ref eq 'HASH' && $_->{appointment_id} && $_->{patient_id} }
            map { ref ? $_ : eval { $json->decode(utf8_bytes($_ // '')) } }
            $line->{answers} ? @{ $line->{answers} } : $line->{answer}
    } grep { ($_->{status} // 0) =~ /^2/ && !$_->{again} } @{ $self->{lines} };
}

sub utf8_bytes {
    my ($text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    return $text;
}

# Each acknowledged change is there, exactly as it was answered, and once: the
# event of that version says the same.
sub acknowledged {
    my ($self) = @_;
    my %event;
    $event{ $_->{id} }{ $_->{version} }{ canonical($_->{data}) } = 1
        for @{ $self->{cluster}->query(<<'SQL') };
SELECT data::json->>'appointment_id' AS id, data::json->>'version' AS version,
	data
FROM appt.event WHERE appointment_no IS NOT NULL
SQL
    my @wrong;
    for ($self->acknowledgements) {
        my ($object, $line) = @$_;
        my $there = $event{ $object->{appointment_id} }{ $object->{version} };
        push @wrong, "$object->{appointment_id} version $object->{version} was "
            . 'answered but ' . (!$there ? 'is not there' : 'is otherwise')
            . ": $line->{key}"
            unless $there && keys %$there == 1
            && $there->{ $json->encode($object) };
    }
    return @wrong;
}

sub canonical { return $json->encode($json->decode(utf8_bytes($_[0]))) }

# A key that booked did so once.
sub booked_once {
    my ($self) = @_;
    my %ids;
    for my $line (@{ $self->{lines} }) {
        next unless $line->{key} && ($line->{status} // 0) == 201
            && $line->{path} =~ m{^/appointments(?:/walk-in)?$};
        my $id = $json->decode(utf8_bytes($line->{answer}))->{appointment_id};
        $ids{$id}{ $line->{key} } = 1;
    }
    return map { "$_ answered " . join ', ', sort keys %{ $ids{$_} } }
        grep { keys %{ $ids{$_} } > 1 } sort keys %ids;
}

sub replays {
    my ($self) = @_;
    return grep { $_->{again} } @{ $self->{lines} };
}

sub unequal_replays {
    my ($self) = @_;
    return map {"$_->{again}: $_->{status} $_->{answer}"}
        grep { !$_->{same} } $self->replays;
}

# Requests of which nobody ever said what became of them, though they had a key.
sub unsettled {
    my ($self) = @_;
    return map {"$_->{key} " . ($_->{path} // $_->{sql})}
        grep { $_->{unknown} && $_->{key} } @{ $self->{lines} };
}

# How often each HTTP status came; what must not come, with its request.
sub statuses {
    my ($self) = @_;
    my %count;
    $count{ $_->{seen} }++ for grep { $_->{seen} } @{ $self->{lines} };
    return \%count;
}

sub improper_answers {
    my ($self) = @_;
    return map {"$_->{status} $_->{method} $_->{path} $_->{body}: $_->{answer}"}
        map { $_->{body} //= ''; $_ }
        grep { $_->{method} && ($_->{status} // 200)
                !~ /^(?:200|201|204|404|409|412)$/ } @{ $self->{lines} };
}

# In SQL: the engine's own refusals and what a lost server says, nothing else.
sub improper_states {
    my ($self) = @_;
    return map {"$_->{state} $_->{sql}"}
        grep { $_->{sql} && $_->{state} && !$_->{unknown}
            && $_->{state} !~ /^(?:00000|SB...|57014)$/ } @{ $self->{lines} };
}

# Published events that the receiver has not, and what it has without one.
sub undelivered {
    my ($self) = @_;
    my %want = map { $_->{event_id} => 1 } @{ $self->{cluster}->query(
        'SELECT DISTINCT event_id FROM appt.event JOIN appt.delivery '
            . 'USING (event_no)') };
    my %got = map { $_->{headers}{'webhook-id'} => 1 }
        grep { $_->{status} == 200 } $self->requests;
    return ((map {"$_ never came"} grep { !$got{$_} } sort keys %want),
        (map {"$_ came from nowhere"} grep { !$want{$_} } sort keys %got));
}

# An appointment's events came in their order: none first after a later one.
sub disordered {
    my ($self) = @_;
    my %event = map { $_->{event_id} => $_ } @{ $self->{cluster}->query(
        'SELECT event_id, event_no, appointment_no FROM appt.event') };
    my (%highest, %came, @wrong);
    for my $request (grep { $_->{status} == 200 } $self->requests) {
        my $id = $request->{headers}{'webhook-id'};
        my $event = $event{$id} or next;
        next if $came{$id}++;
        my $of = $event->{appointment_no} // next;
        push @wrong, "$id came after event $highest{$of}"
            if $event->{event_no} < ($highest{$of} // 0);
        $highest{$of} = $event->{event_no};
    }
    return @wrong;
}

sub requests {
    my ($self) = @_;
    return @{ $self->{requests} //= [ $self->{sink}->requests ] };
}

# What a query finds wrong, a line each.
sub found {
    my ($self, $sql) = @_;
    return split /\n/, $self->{cluster}->psql($sql);
}

1;
