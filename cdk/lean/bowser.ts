/** Nothing: the SDK asks `bowser` about browsers alone, and it is a twentieth of a bundle. */
export {}
