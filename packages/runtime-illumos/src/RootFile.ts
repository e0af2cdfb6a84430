/** Files that the root of a zone must have before the zone boots. */

/** One file. @category models */
export interface RootFile {
  /** Absolute path inside the zone. Symbolic links on the way are followed as the zone would follow them, never out of its root. */
  readonly path: string
  readonly content: string
  /** Permission bits, such as `0o755`. */
  readonly mode: number
  /** Nothing is written when the root has any of these; absent means that the file is written before each boot. */
  readonly unless?: ReadonlyArray<string>
  /** Paths without which the file would be of no use: the root is refused when one is missing. Only asked when the file is to be written. */
  readonly requires?: ReadonlyArray<string>
}
