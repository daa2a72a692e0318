interface GateDefinition {
  readonly text: string
  /** Other definitions that it rests on. */
  readonly uses?: readonly string[]
}

/**
 * Braket's gates that OpenQASM's `stdgates.inc` lacks, by their names in Braket.
 *
 * A gate's parameters are angles, which the simulator keeps modulo 2π. A rotation by θ acts by θ/2, so it may come out
 * with its sign turned, which nothing shows unless it is controlled: `half_…` are rotations that take θ/2, exact always.
 * Source: Amazon Braket SDK, `braket.circuits.gates` (matrices).
 */
const definitions: Readonly<Record<string, GateDefinition>> = {
  i: { text: 'gate i a { }' },
  si: { text: 'gate si a { sdg a; }' },
  ti: { text: 'gate ti a { tdg a; }' },
  v: { text: 'gate v a { sx a; }' },
  vi: { text: 'gate vi a { inv @ sx a; }' },
  phaseshift: { text: 'gate phaseshift(x0) a { p(x0) a; }' },
  gpi: { text: 'gate gpi(x0) a { x a; gphase(-x0); p(2 * x0) a; }' },
  gpi2: { text: 'gate gpi2(x0) a { p(-x0) a; half_rx(pi / 4.0) a; p(x0) a; }', uses: ['half_rx'] },
  cnot: { text: 'gate cnot a, b { cx a, b; }' },
  ccnot: { text: 'gate ccnot a, b, c { ccx a, b, c; }' },
  cv: { text: 'gate cv a, b { ctrl @ sx a, b; }' },
  cphaseshift: { text: 'gate cphaseshift(x0) a, b { cp(x0) a, b; }' },
  cphaseshift00: { text: 'gate cphaseshift00(x0) a, b { x a; x b; cp(x0) a, b; x a; x b; }' },
  cphaseshift01: { text: 'gate cphaseshift01(x0) a, b { x a; cp(x0) a, b; x a; }' },
  cphaseshift10: { text: 'gate cphaseshift10(x0) a, b { x b; cp(x0) a, b; x b; }' },
  pswap: { text: 'gate pswap(x0) a, b { swap a, b; cx a, b; p(x0) b; cx a, b; }' },
  iswap: { text: 'gate iswap a, b { half_xy(pi / 2.0) a, b; }', uses: ['half_xy'] },
  ecr: {
    text: 'gate ecr a, b { h b; half_zz(pi / 8.0) a, b; x a; half_zz(-pi / 8.0) a, b; h b; }',
    uses: ['half_zz'],
  },
  zz: { text: 'gate zz(x0) a, b { cx a, b; rz(x0) b; cx a, b; }' },
  xx: { text: 'gate xx(x0) a, b { h a; h b; zz(x0) a, b; h a; h b; }', uses: ['zz'] },
  yy: { text: 'gate yy(x0) a, b { sdg a; sdg b; xx(x0) a, b; s a; s b; }', uses: ['xx'] },
  prx: { text: 'gate prx(x0, x1) a { p(-x1) a; rx(x0) a; p(x1) a; }' },
  ms: {
    text: 'gate ms(x0, x1, x2) a, b { p(-x0) a; p(-x1) b; xx(x2) a, b; p(x0) a; p(x1) b; }',
    uses: ['xx'],
  },
  half_rz: { text: 'gate half_rz(x0) a { gphase(-x0); p(2 * x0) a; }' },
  half_rx: { text: 'gate half_rx(x0) a { h a; half_rz(x0) a; h a; }', uses: ['half_rz'] },
  half_ry: { text: 'gate half_ry(x0) a { sdg a; half_rx(x0) a; s a; }', uses: ['half_rx'] },
  half_zz: { text: 'gate half_zz(x0) a, b { cx a, b; half_rz(x0) b; cx a, b; }', uses: ['half_rz'] },
  half_xx: { text: 'gate half_xx(x0) a, b { h a; h b; half_zz(x0) a, b; h a; h b; }', uses: ['half_zz'] },
  half_yy: { text: 'gate half_yy(x0) a, b { sdg a; sdg b; half_xx(x0) a, b; s a; s b; }', uses: ['half_xx'] },
  half_xy: { text: 'gate half_xy(x0) a, b { cx a, b; ctrl @ half_rx(-x0) b, a; cx a, b; }', uses: ['half_rx'] },
  half_prx: { text: 'gate half_prx(x0, x1) a { p(-x1) a; half_rx(x0) a; p(x1) a; }', uses: ['half_rx'] },
  half_ms: {
    text: 'gate half_ms(x0, x1, x2) a, b { p(-x0) a; p(-x1) b; half_xx(x2) a, b; p(x0) a; p(x1) b; }',
    uses: ['half_xx'],
  },
  half_crx: { text: 'gate half_crx(x0) a, b { ctrl @ half_rx(x0) a, b; }', uses: ['half_rx'] },
  half_cry: { text: 'gate half_cry(x0) a, b { ctrl @ half_ry(x0) a, b; }', uses: ['half_ry'] },
  half_crz: { text: 'gate half_crz(x0) a, b { ctrl @ half_rz(x0) a, b; }', uses: ['half_rz'] },
}

/** Gates that act by half of a parameter, and which one that is. */
export const halvedParameter: ReadonlyMap<string, number> = new Map([
  ...['rx', 'ry', 'rz', 'xx', 'yy', 'zz', 'xy', 'prx', 'crx', 'cry', 'crz'].map((name) => [name, 0] as const),
  ['ms', 2],
])

/** Of these, those whose sign shows always: they have no other form than the one that takes half. */
export const alwaysHalved: ReadonlySet<string> = new Set(['xy', 'crx', 'cry', 'crz'])

/** The definitions that a program needs for the gates it calls, in an order that OpenQASM takes. */
export function gateDefinitions(called: ReadonlySet<string>, defined: ReadonlySet<string>): string {
  const needed = new Set<string>()
  const need = (name: string) => {
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined
    if (!definition || defined.has(name)) return
    for (const used of definition.uses ?? []) need(used)
    needed.add(name)
  }
  for (const name of called) need(name)
  return Array.from(needed, (name) => definitions[name]?.text).join(' ')
}
