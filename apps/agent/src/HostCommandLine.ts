/** Splits the words after `--` from the others: they belong to the host, whatever they look like. */
export const hostCommandLine = (argv: ReadonlyArray<string>): { readonly argv: ReadonlyArray<string>; readonly hostCommand: ReadonlyArray<string> } => {
  const at = argv[2] === "host" ? argv.indexOf("--") : -1
  return at < 0 ? { argv, hostCommand: [] } : { argv: argv.slice(0, at), hostCommand: argv.slice(at + 1) }
}
