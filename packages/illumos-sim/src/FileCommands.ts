/** Commands on the files of the emulated global zone: ls, cp, mv. */
import * as fs from "node:fs"
import * as DateTime from "effect/DateTime"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import { getopt, hasFlag } from "./internal/getopt.js"
import { present } from "./internal/hostFiles.js"
import { fail, ok, type Result, result } from "./internal/result.js"

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const two = (value: number, fill = "0"): string => String(value).padStart(2, fill)

const when = (millis: number, now: number): string => {
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(millis))
  const day = `${months[at.month - 1] ?? "Jan"} ${two(at.day, " ")}`
  const halfYear = 183 * 86_400_000
  return Math.abs(now - millis) < halfYear ? `${day} ${two(at.hours)}:${two(at.minutes)}` : `${day}  ${at.year}`
}

const letters = (mode: number): string =>
  ["r", "w", "x", "r", "w", "x", "r", "w", "x"].map((letter, index) => (mode & (0o400 >> index)) === 0 ? "-" : letter).join("")

const kindOf = (stat: fs.Stats): string =>
  stat.isDirectory() ? "d" : stat.isSymbolicLink() ? "l" : stat.isFIFO() ? "p" : stat.isSocket() ? "s" : stat.isBlockDevice() ? "b" : stat.isCharacterDevice() ? "c" : "-"

/** To the nanosecond, as `ls -E` has it. */
const exactly = (nanos: bigint): string => {
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(Number(nanos / 1_000_000n)))
  return `${at.year}-${two(at.month)}-${two(at.day)} ${two(at.hours)}:${two(at.minutes)}:${two(at.seconds)}.${String(nanos % 1_000_000_000n).padStart(9, "0")} +0000`
}

/** One line of `ls -l`; names are those of the two accounts every host has. */
const longLine = (context: HostContext, real: string, shown: string, stat: fs.Stats, isExact: boolean): string => {
  const target = stat.isSymbolicLink() ? ` -> ${fs.readlinkSync(real)}` : ""
  const links = two(stat.nlink, " ").padStart(3)
  const time = isExact ? exactly(fs.lstatSync(real, { bigint: true }).mtimeNs) : when(stat.mtimeMs, context.now)
  return `${kindOf(stat)}${letters(stat.mode)} ${links} root     root     ${String(stat.size).padStart(7)} ${time} ${shown}${target}`
}

const grammar = "1adlE"

/** `ls [-1adlE] [<file>…]` of the emulated file system; `-E` is `-l` with exact times. With `-d` or `-l` symbolic links are shown and not followed. @category commands */
export const ls: InstantCommand = (context, args) => {
  const parsed = getopt(args, grammar)
  if (parsed.error !== undefined) return fail(`ls: illegal option -- ${parsed.error.flag}\nusage: ls -${grammar} [file ...]`, 2)
  const isExact = hasFlag(parsed, "E")
  const long = isExact || hasFlag(parsed, "l")
  const itself = hasFlag(parsed, "d")
  const names = parsed.operands.length === 0 ? ["."] : parsed.operands
  const lines: Array<string> = []
  const absent: Array<string> = []
  const show = (real: string, shown: string, stat: fs.Stats) => lines.push(long ? longLine(context, real, shown, stat, isExact) : shown)
  for (const name of [...names].sort()) {
    const real = context.files.real(name)
    const stat = itself || long ? fs.lstatSync(real, { throwIfNoEntry: false }) : fs.statSync(real, { throwIfNoEntry: false })
    if (stat === undefined) {
      absent.push(`${name}: No such file or directory`)
      continue
    }
    if (itself || !stat.isDirectory()) {
      show(real, name, stat)
      continue
    }
    if (names.length > 1) lines.push(...(lines.length === 0 ? [] : [""]), `${name}:`)
    for (const entry of fs.readdirSync(real).sort()) {
      if (entry.startsWith(".") && !hasFlag(parsed, "a")) continue
      show(`${real}/${entry}`, entry, fs.lstatSync(`${real}/${entry}`))
    }
  }
  return result(absent.length === 0 ? 0 : 2, lines.join("\n"), absent.join("\n"))
}

/** Where a file goes that is copied or moved to `name`: into it, when it is a folder. */
const destination = (context: HostContext, from: string, name: string): string => {
  const real = context.files.real(name)
  const isFolder = fs.statSync(real, { throwIfNoEntry: false })?.isDirectory() === true
  return isFolder ? `${real}/${from.slice(from.lastIndexOf("/") + 1)}` : real
}

const outside = (context: HostContext, real: string): boolean => {
  const parent = fs.realpathSync(real.slice(0, real.lastIndexOf("/")), { encoding: "utf8" })
  return parent !== context.files.root && !parent.startsWith(`${context.files.root}/`)
}

const copyOne = (context: HostContext, from: string, to: string, keepMode: boolean): Result => {
  const source = context.files.real(from)
  if (!fs.existsSync(source)) return fail(`cp: cannot access ${from}`, 2)
  if (fs.statSync(source).isDirectory()) return fail(`cp: ${from}: is a directory`, 2)
  const target = destination(context, from, to)
  if (!present(target.slice(0, target.lastIndexOf("/")))) return fail(`cp: cannot create ${to}: No such file or directory`, 2)
  if (outside(context, target)) return fail(`cp: cannot create ${to}: Permission denied`, 2)
  fs.copyFileSync(source, target)
  if (!keepMode) fs.chmodSync(target, fs.statSync(source).mode & 0o777)
  return ok()
}

/** `cp [-p] <file> <file or folder>`, `cp [-p] <file>… <folder>`; of single files only. @category commands */
export const cp: InstantCommand = (context, args) => {
  const parsed = getopt(args, "fp")
  const to = parsed.operands.at(-1)
  const sources = parsed.operands.slice(0, -1)
  const usage = fail("Usage: cp [-afipuv] source... target_directory\n       cp [-afipuv] source_file target_file", 2)
  if (parsed.error !== undefined || to === undefined || sources.length === 0) return usage
  if (sources.length > 1 && fs.statSync(context.files.real(to), { throwIfNoEntry: false })?.isDirectory() !== true) return usage
  // What can be copied is, whatever fails.
  const problems = sources.map((from) => copyOne(context, from, to, hasFlag(parsed, "p"))).filter(({ exitCode }) => exitCode !== 0)
  return problems.length === 0 ? ok() : result(2, "", problems.map(({ stderr }) => stderr.trimEnd()).join("\n"))
}

/** `mv [-f] <file> <file or folder>`; within one file system. @category commands */
export const mv: InstantCommand = (context, args) => {
  const parsed = getopt(args, "fi")
  const [from, to, surplus] = parsed.operands
  if (parsed.error !== undefined || from === undefined || to === undefined || surplus !== undefined) {
    return fail("Usage: mv [-finv] source target\n       mv [-finv] source... target_directory", 2)
  }
  const source = context.files.real(from)
  if (!present(source)) return fail(`mv: cannot access ${from}`, 2)
  const target = destination(context, from, to)
  if (!present(target.slice(0, target.lastIndexOf("/")))) return fail(`mv: cannot rename ${from} to ${to}: No such file or directory`, 2)
  if (outside(context, target)) return fail(`mv: cannot rename ${from} to ${to}: Permission denied`, 2)
  fs.renameSync(source, target)
  return ok()
}
