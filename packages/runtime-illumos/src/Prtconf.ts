/** prtconf: how much memory a host has. */
import * as CommandLine from "./CommandLine.js"

const program = "/usr/sbin/prtconf"
const mebibyte = 1024 * 1024

/** Physical memory in MiB and nothing else. @category constructors */
export const memory: CommandLine.CommandLine = CommandLine.make(program, "-m")

/** The whole system configuration, for hosts whose prtconf has no `-m`. @category constructors */
export const configuration: CommandLine.CommandLine = CommandLine.make(program)

/** Bytes of memory in the output of {@link memory} or {@link configuration}; `undefined` when neither says it. @category combinators */
export const parseMemory = (text: string): number | undefined => {
  const plain = /^\s*(\d+)\s*$/.exec(text)?.[1] ?? /^Memory size: (\d+) Megabytes$/m.exec(text)?.[1]
  const mebibytes = plain === undefined ? 0 : Number(plain)
  return mebibytes > 0 ? mebibytes * mebibyte : undefined
}
