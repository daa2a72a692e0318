/** `$4.20`; four decimals below a dollar, two digits at least. */
export function usd(amount: number): string {
  if (amount === 0 || amount >= 1) return `$${amount.toFixed(2)}`
  return `$${amount < 0.001 ? amount.toPrecision(2) : amount.toFixed(4)}`
}
