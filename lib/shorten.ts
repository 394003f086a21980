/** At most `max` characters of a text, from its beginning; where some were left out it ends in an ellipsis. */
export function shorten(text: string, max: number): string {
  // Whole characters: half of an emoji is stored as another character, so what was written would never be what was meant.
  const points = text.length <= max ? [] : Array.from(text);
  return points.length <= max ? text : `${points.slice(0, max - 1).join("")}…`;
}

/** At most `max` characters of a text, from its end. */
export function endOf(text: string, max: number): string {
  return text.length <= max ? text : Array.from(text).slice(-max).join("");
}
