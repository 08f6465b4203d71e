/** The time that a clock on the wall of a zone shows, such as `07:05`. */
export function timeOfDayIn(timezone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return parts.format(at);
}
