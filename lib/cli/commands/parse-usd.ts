import { InvalidArgumentError } from 'commander'

/** `4`, `4.20` or `$4.20`, above zero; for commander. */
export function parseUsd(text: string): number {
  const value = Number(text.replace(/^\$/, ''))
  if (/^\$?\d+(\.\d+)?$/.test(text) && value > 0) return value
  throw new InvalidArgumentError('It must be an amount in US dollars above zero, such as 4.20.')
}
