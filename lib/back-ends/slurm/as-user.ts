import { shellQuote } from '../run-command/shell-quote.ts'

/**
 * The script, run by `user` (the agent is root, whom most clusters refuse) with that user's home.
 *
 * The word that ends the here-document is one that the script does not hold.
 * Source: runuser(1).
 */
export function asUser(user: string | undefined, script: string): string {
  if (user === undefined) return script
  let end = 'QUENCH_AS_USER'
  while (script.includes(end)) end += '_'
  return `script=$(cat <<'${end}'
${script}
${end}
)
exec runuser -s /bin/sh -c "$script" ${shellQuote(user)}
`
}
