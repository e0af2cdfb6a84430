/** Polls until `probe` gives a value, or fails with what was seen last. */
export const waitFor = async <A>(
  what: string,
  probe: () => Promise<A | undefined> | A | undefined,
  options: { readonly seconds?: number; readonly everyMillis?: number; readonly seen?: () => string } = {}
): Promise<A> => {
  const deadline = performance.now() + (options.seconds ?? 60) * 1000
  for (;;) {
    const value = await probe()
    if (value !== undefined) return value
    if (performance.now() > deadline) {
      throw new Error(`${what} did not happen within ${String(options.seconds ?? 60)} s${options.seen === undefined ? "" : `; last seen: ${options.seen()}`}`)
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMillis ?? 200))
  }
}
