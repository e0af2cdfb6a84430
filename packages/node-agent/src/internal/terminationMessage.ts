/** The last words of a container: what it left in its file, or the end of its log. Plain functions over bounded reads. */
import * as fs from "node:fs"
import * as criLog from "./criLog.js"
import * as logRecords from "./logRecords.js"

/** Longest message in bytes, from the file. */
export const longestMessage = 4096

/** Longest message taken from a log, in bytes and lines. */
const longestLogMessage = 2048
const mostLogLines = 80

/** Bytes of a log that are looked at: enough for the lines that count with their headers. */
const logTail = 32_768

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** The end of a file, empty when there is none or it is something else. Symbolic links are not followed. */
const endOf = (path: string, length: number): Buffer => {
  let fd: number
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isFile()) return Buffer.alloc(0)
    const buffer = Buffer.alloc(Math.min(length, stat.size))
    const read = fs.readSync(fd, buffer, 0, buffer.length, Math.max(0, stat.size - length))
    return buffer.subarray(0, read)
  } catch {
    return Buffer.alloc(0)
  } finally {
    fs.closeSync(fd)
  }
}

/** Text of the last bytes that begin with a whole character. */
const lastText = (bytes: Buffer, length: number): string => {
  let start = Math.max(0, bytes.length - length)
  while (start > 0 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1
  return bytes.subarray(start).toString("utf8")
}

/** What the shim has saved of the container's file. */
export const ofFile = (path: string): string => lastText(endOf(path, longestMessage), longestMessage)

/** The end of a log. */
export const ofLog = (path: string): string => {
  const current = endOf(path, logTail)
  const older = current.length < logTail ? criLog.rotatedFiles(path).at(-1) : undefined
  const records = older === undefined ? current : Buffer.concat([endOf(older.path, logTail - current.length), current])
  const text = Buffer.concat(logRecords.splitter()(records).map(({ bytes }) => bytes))
  const lines = text.toString("latin1").split("\n")
  const ended = lines.at(-1) === ""
  const wanted = lines.slice(-(mostLogLines + (ended ? 1 : 0))).join("\n")
  return lastText(Buffer.from(wanted, "latin1"), longestLogMessage)
}
