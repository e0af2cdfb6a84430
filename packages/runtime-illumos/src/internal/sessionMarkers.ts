/**
 * Takes the marks of a session's script out of the stream it shares with the command. Plain functions: they see every byte.
 *
 * A mark is `RS on-<token>=<words> RS` or `RS rc-<token>=<word> RS` with RS the record separator (octal 036), which next to nothing
 * prints. Bytes that may be the beginning of a mark wait for the next chunk; everything else goes on at once.
 */

/** What the marks say. */
export interface Listener {
  /** The script runs: its pid in the zone, and the name of its terminal. */
  readonly onStart: (pid: number, terminal: string | undefined) => void
  /** The command ended, with this exit code, or was not started, for this reason. */
  readonly onEnd: (word: string) => void
}

/** A filter for one stream. */
export interface Filter {
  /** What the command printed. */
  readonly push: (chunk: Buffer) => Buffer
  /** What was held back at the end of the stream. */
  readonly flush: () => Buffer
  /** What came before the script ran: complaints of zlogin. */
  readonly preamble: () => string
}

const separator = 0x1e
const longestValue = 96
const value = /^[A-Za-z0-9_:/.]*$/
const preambleLimit = 16_384

/** Makes a filter; with `dropTail` nothing that follows the end mark goes on. */
export const make = (token: string, dropTail: boolean, listener: Listener): Filter => {
  const heads = { on: `\u001eon-${token}=`, rc: `\u001erc-${token}=` }
  const mark = new RegExp(`^\\x1e(on|rc)-${token}=([A-Za-z0-9_:/.]{0,${longestValue}})\\x1e`)
  const longest = heads.on.length + longestValue + 1
  const before: Array<Buffer> = []
  let beforeSize = 0
  let carry: Buffer = Buffer.alloc(0)
  let phase: "before" | "running" | "ended" = "before"

  const mayBecomeMark = (text: string): boolean =>
    [heads.on, heads.rc].some((head) =>
      text.length < head.length
        ? head.startsWith(text)
        : text.startsWith(head) && text.length < longest && value.test(text.slice(head.length))
    )

  const take = (kind: string, text: string): void => {
    if (kind === "on" && phase === "before") {
      phase = "running"
      const [pid = "", ...terminal] = text.split(":")
      const name = terminal.join(":")
      listener.onStart(Number(pid), name.startsWith("/") ? name : undefined)
    } else if (kind === "rc" && phase === "running") {
      phase = "ended"
      listener.onEnd(text)
    }
  }

  const pass = (out: Array<Buffer>, bytes: Buffer): void => {
    if (bytes.length === 0) return
    if (phase === "running" || (phase === "ended" && !dropTail)) out.push(bytes)
    if (phase === "before" && beforeSize < preambleLimit) {
      before.push(bytes)
      beforeSize += bytes.length
    }
  }

  return {
    push: (chunk) => {
      const data = carry.length === 0 ? chunk : Buffer.concat([carry, chunk])
      const out: Array<Buffer> = []
      carry = Buffer.alloc(0)
      let start = 0
      let at = data.indexOf(separator)
      while (at >= 0) {
        const text = data.toString("latin1", at, at + longest)
        const found = mark.exec(text)
        if (found !== null) {
          pass(out, data.subarray(start, at))
          take(found[1] ?? "", found[2] ?? "")
          start = at + found[0].length
          at = data.indexOf(separator, start)
          continue
        }
        if (at + text.length === data.length && mayBecomeMark(text)) {
          carry = Buffer.from(data.subarray(at))
          pass(out, data.subarray(start, at))
          return Buffer.concat(out)
        }
        at = data.indexOf(separator, at + 1)
      }
      pass(out, data.subarray(start))
      return Buffer.concat(out)
    },
    flush: () => {
      const out: Array<Buffer> = []
      pass(out, carry)
      carry = Buffer.alloc(0)
      return Buffer.concat(out)
    },
    preamble: () => Buffer.concat(before).toString("utf8")
  }
}
