import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inputs, readResult, resultUri, writeResult } from './results.mjs'

// Usage: report.mjs PLAN
// The last task of the graph: its result, a page in Markdown, is the result of the dispatch. Fails where a check does.
const plan = await readResult(process.argv[2])
const { darts, hits, parts } = await readResult(inputs.reduce)

const { estimate, error } = estimateOf({ darts, hits })
const partial = parts.map((part) => ({ part: part.part, ...estimateOf(part) })).sort((a, b) => a.part - b.part)
const distance = Math.abs(estimate - Math.PI) / error
const spread = partial.reduce((sum, part) => sum + ((part.estimate - estimate) / part.error) ** 2, 0)

const checks = [
  ['every dart of the plan was thrown', darts === plan.darts && parts.length === plan.parts.length],
  [`the estimate is within 5 standard errors of π (${distance.toFixed(2)} of them away)`, distance <= 5],
  [
    `the parts scatter as chance has it (χ² = ${spread.toFixed(1)} for ${parts.length} parts)`,
    spread < 5 * parts.length,
  ],
]

const plot = `${fileURLToPath(resultUri)}.svg`
await writeFile(plot, draw(partial))
await writeResult(`# π by throwing darts

| darts | estimate | standard error | π |
|---|---|---|---|
| ${darts} | ${estimate.toFixed(6)} | ${error.toFixed(6)} | ${Math.PI.toFixed(6)} |

${checks.map(([claim, holds]) => `- ${holds ? 'PASS' : 'FAIL'}: ${claim}`).join('\n')}

![The estimate of each part, with its standard error](${basename(plot)})
`)
if (!checks.every(([, holds]) => holds)) process.exitCode = 1

/** Each dart hits with probability p = π/4, so the hits are binomial: their share has the variance p (1 − p) / darts. */
function estimateOf({ darts, hits }) {
  const p = hits / darts
  return { estimate: 4 * p, error: 4 * Math.sqrt((p * (1 - p)) / darts) }
}

/** A dot and a bar for the estimate of each part, and a line for π. */
function draw(points) {
  const width = 60 * points.length + 120
  const reach = 1.2 * Math.max(...points.map((point) => Math.abs(point.estimate - Math.PI) + point.error))
  const y = (value) => (120 - ((value - Math.PI) / reach) * 100).toFixed(1)
  const marks = points.map((point, index) => {
    const x = 100 + 60 * index
    const bar = `<path d="M${x} ${y(point.estimate - point.error)}V${y(point.estimate + point.error)}" stroke="#888"/>`
    return `${bar}<circle cx="${x}" cy="${y(point.estimate)}" r="4" fill="#2563eb"/><text x="${x}" y="240">${point.part}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 250" font-family="sans-serif" font-size="12" text-anchor="middle">
<path d="M60 120H${width - 20}" stroke="#dc2626"/><text x="40" y="124">π</text>
<text x="40" y="24">+${reach.toFixed(4)}</text><text x="40" y="224">−${reach.toFixed(4)}</text>
${marks.join('\n')}
</svg>
`
}
