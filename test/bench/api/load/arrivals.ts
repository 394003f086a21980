/**
 * When people who know nothing of each other ask: times in milliseconds from 0, in ascending order, `perSecond` of them in the mean.
 * The gaps are exponential.
 */
export function arrivals(o: { perSecond: number; seconds: number; random: () => number }): number[] {
  const times: number[] = [];
  const end = o.seconds * 1000;
  for (let at = gap(o); at < end; at += gap(o)) times.push(at);
  return times;
}

function gap({ perSecond, random }: { perSecond: number; random: () => number }): number {
  return (-Math.log(1 - random()) * 1000) / perSecond;
}
