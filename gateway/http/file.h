/*
 * file.h
 *		Files that are linked in.
 */
#ifndef APPT_FILE_H
#define APPT_FILE_H

extern void file_init(void);

#endif							/* APPT_FILE_H */
