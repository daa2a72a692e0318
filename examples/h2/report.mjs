import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inputs, molecule, readResult, resultUri, writeResult } from './results.mjs'

// The last task of the graph: its result, a page in Markdown, is the result of the dispatch, and its figure is a file
// beside it, `<result>-report.svg`. Fails where a check does.
const fit = await readResult(inputs.fit)
const { energyHartree, errorHartree, chiSquared, degreesOfFreedom, points } = fit
const expected = molecule.groundStateHartree + molecule.nuclearRepulsionHartree

const distance = Math.abs(energyHartree - expected) / errorHartree
const checks = [
  [`the minimum is within 4 standard errors of the exact one (${distance.toFixed(2)} of them away)`, distance <= 4],
  [`the standard error is below 0.01 hartree (${errorHartree.toFixed(4)})`, errorHartree < 0.01],
  [
    `the energies lie on the curve (χ² = ${chiSquared.toFixed(1)} for ${degreesOfFreedom} degrees of freedom)`,
    chiSquared < 5 * degreesOfFreedom,
  ],
]

const figure = `${fileURLToPath(resultUri)}-report.svg`
await writeFile(figure, draw())
await writeResult(`# The energy of ${molecule.name}

| | energy in hartree | standard error |
|---|---|---|
| minimum of the fit, at θ = ${fit.theta.toFixed(4)} | ${energyHartree.toFixed(6)} | ${errorHartree.toFixed(6)} |
| exact, by diagonalisation | ${expected.toFixed(6)} | |

From ${points.length} angles and ${points.reduce((sum, { shots }) => sum + shots, 0)} shots.

${checks.map(([claim, holds]) => `- ${holds ? 'PASS' : 'FAIL'}: ${claim}`).join('\n')}

![The energy at each angle with its standard error, the fit, and the exact minimum](${basename(figure)})

Source of the Hamiltonian and of the exact energy: ${molecule.source}.
`)
console.log(`E = ${energyHartree.toFixed(4)} ± ${errorHartree.toFixed(4)} hartree; the figure is ${figure}`)
for (const [claim] of checks.filter(([, holds]) => !holds)) console.error(`FAIL: ${claim}`)
if (!checks.every(([, holds]) => holds)) process.exitCode = 1

/** The energies with their errors, the fitted curve, and a line for the exact minimum. */
function draw() {
  const [a, b, c] = fit.coefficients
  const [low, high] = [a - Math.hypot(b, c) - 0.2, a + Math.hypot(b, c) + 0.2]
  const x = (theta) => (80 + ((theta + Math.PI) / (2 * Math.PI)) * 500).toFixed(1)
  const y = (energy) => (20 + ((high - energy) / (high - low)) * 320).toFixed(1)
  const curve = Array.from({ length: 101 }, (_, n) => ((2 * n) / 100 - 1) * Math.PI)
    .map((theta) => `${x(theta)},${y(a + b * Math.cos(theta) + c * Math.sin(theta))}`)
    .join(' ')
  const dots = points.map(({ theta, energy, error }) => {
    const bar = `<path d="M${x(theta)} ${y(energy - error)}V${y(energy + error)}" stroke="#1e3a8a" stroke-width="2"/>`
    return `${bar}<circle cx="${x(theta)}" cy="${y(energy)}" r="4" fill="#2563eb"/>`
  })
  const angles = [-1, -0.5, 0, 0.5, 1].map(
    (turns) => `<text x="${x(turns * Math.PI)}" y="365" text-anchor="middle">${turns} π</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="sans-serif" font-size="12">
<title>${molecule.name}: E = ${energyHartree.toFixed(4)} ± ${errorHartree.toFixed(4)} hartree</title>
<rect x="80" y="20" width="500" height="320" fill="none" stroke="#888"/>
<path d="M80 ${y(expected)}H580" stroke="#dc2626" stroke-dasharray="6 4"/>
<text x="84" y="${(Number(y(expected)) + 14).toFixed(1)}" fill="#dc2626">exact: ${expected.toFixed(4)}</text>
<polyline points="${curve}" fill="none" stroke="#888"/>
${dots.join('\n')}
<text x="330" y="36" text-anchor="middle">minimum of the fit: ${energyHartree.toFixed(4)} ± ${errorHartree.toFixed(4)} hartree at θ = ${fit.theta.toFixed(3)}</text>
${angles.join('\n')}
<text x="330" y="388" text-anchor="middle">θ</text>
<text x="74" y="26" text-anchor="end">${high.toFixed(2)}</text><text x="74" y="340" text-anchor="end">${low.toFixed(2)}</text>
<text x="20" y="180" transform="rotate(-90 20 180)" text-anchor="middle">energy (hartree)</text>
</svg>
`
}
