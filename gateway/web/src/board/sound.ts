/*
 * sound.ts
 *		Two tones for who is called, and the words said aloud, where the room
 *		wants them. A browser plays nothing before somebody has touched the
 *		page, unless it was started so.
 */
import { effect, signal } from "@preact/signals";
import type { Call } from "./feed";
import { words, type Language } from "./words";

function kept(key: string): boolean {
    return localStorage.getItem(key) === "on";
}

export const chime = signal(kept("appt-board-chime"));
export const speech = signal(kept("appt-board-speech"));
export const silenced = signal(false);

let audio: AudioContext | undefined;

effect(() => {
    localStorage.setItem("appt-board-chime", chime.value ? "on" : "off");
    localStorage.setItem("appt-board-speech", speech.value ? "on" : "off");
});

/* To be called when somebody touches the page, and at the start. */
export async function wake(): Promise<void> {
    if (!chime.value)
        return;
    audio ??= new AudioContext();
    audio.onstatechange = () => { silenced.value = audio?.state !== "running"; };
    silenced.value = audio.state !== "running";
    await audio.resume();
}

function tone(pitch: number, at: number): void {
    if (!audio)
        return;
    const source = audio.createOscillator();
    const volume = audio.createGain();
    const from = audio.currentTime + at;

    source.frequency.value = pitch;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.35, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.9);
    source.connect(volume).connect(audio.destination);
    source.start(from);
    source.stop(from + 1);
}

export function announce(calls: Call[], language: Language): void {
    if (chime.value && audio?.state === "running") {
        tone(784, 0);
        tone(587, 0.35);
    }
    if (!speech.value || !("speechSynthesis" in window))
        return;
    for (const call of calls) {
        const said = new SpeechSynthesisUtterance(
            words[language].called(call.token, call.doctor.name));

        said.lang = language === "hi" ? "hi-IN" : "en-IN";
        said.rate = 0.9;
        speechSynthesis.speak(said);
    }
}
