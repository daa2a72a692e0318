/** For how long tests wait for one thing that must come. On a machine that is not busy it comes within a moment. */
export const patienceMs = 120_000
