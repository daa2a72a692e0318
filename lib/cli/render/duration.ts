/** Between two instants in ISO 8601; an open end is `now`, in epoch milliseconds. Empty where it has not begun. */
export function renderSpan({ startedAt, endedAt }: { startedAt?: string; endedAt?: string }, now: number): string {
  if (startedAt === undefined) return ''
  const end = endedAt === undefined ? now : Date.parse(endedAt)
  return renderDuration(end - Date.parse(startedAt))
}

/** `0.4s`, `12s`, `3m 04s`, `2h 05m`, `3d 04h`. */
export function renderDuration(milliseconds: number): string {
  const exact = Math.max(0, milliseconds) / 1000
  if (exact < 9.95) return `${exact.toFixed(1)}s`
  const seconds = Math.round(exact)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (minutes === 0) return `${seconds}s`
  if (hours === 0) return `${minutes}m ${twoDigits(seconds % 60)}s`
  if (days === 0) return `${hours}h ${twoDigits(minutes % 60)}m`
  return `${days}d ${twoDigits(hours % 24)}h`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
