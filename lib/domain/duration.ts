export const secondsPer = { s: 1, m: 60, h: 3600, d: 86_400 } as const
type DurationUnit = keyof typeof secondsPer

/** `90s`, `15m`, `2h`, `1d`, `1h30m` in seconds; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}[smhd])+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+)([smhd])/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * secondsPer[unit as DurationUnit], 0)
}
