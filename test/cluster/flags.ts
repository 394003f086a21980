/** `{ "secure-port": 0 }` as `["--secure-port=0"]`, in the given order. Entries that are undefined are left out. */
export function toFlags(values: Readonly<Record<string, string | number | boolean | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}
