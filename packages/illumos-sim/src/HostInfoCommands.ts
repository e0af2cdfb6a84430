/** Small commands about the host itself: uname, zonename, hostid, psrinfo, prtconf, isainfo, and chmod, mkdir on its files. */
import * as fs from "node:fs"
import * as DateTime from "effect/DateTime"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import { getopt, hasFlag, lastValue } from "./internal/getopt.js"
import { fail, ok } from "./internal/result.js"

const build = (context: HostContext): string => (context.host.dialect === "omnios" ? "omnios-r151054-simulated" : "illumos-simulated")

/** `uname [-amnprsvi]`. @category commands @category commands */
export const uname: InstantCommand = (context, args) => {
  const parsed = getopt(args, "amnprsviX")
  if (parsed.error !== undefined) return fail(`uname: illegal option -- ${parsed.error.flag}\nusage:\tuname [-snrvmapiX]`, 1)
  const parts: ReadonlyArray<readonly [string, string]> = [
    ["s", "SunOS"], ["n", "simulated"], ["r", "5.11"], ["v", build(context)], ["m", "i86pc"], ["p", "i386"], ["i", "i86pc"]
  ]
  const chosen = parts.filter(([flag]) => parsed.options.length === 0 ? flag === "s" : hasFlag(parsed, "a") || hasFlag(parsed, flag))
  return ok(chosen.map(([, text]) => text).join(" "))
}

/** `zonename`. @category commands @category commands */
export const zonename: InstantCommand = () => ok("global")

/** `hostid`. @category commands @category commands */
export const hostid: InstantCommand = (context) => ok(context.host.hostId.replaceAll("-", "").slice(0, 8))

/** `isainfo [-bknvx]`; `-x` tells what the CPUs offer to virtual machines. @category commands */
export const isainfo: InstantCommand = ({ host }, args) => {
  const parsed = getopt(args, "bknvx")
  if (parsed.error !== undefined) return fail("usage: isainfo [-v] [-b | -n | -k | -x]", 1)
  if (hasFlag(parsed, "x")) {
    const offered = host.virtualization ?? "vmx"
    return ok([`amd64: ${offered === "none" ? "" : `${offered} `}sse4.2 sse4.1 ssse3 amd_lzcnt popcnt cx16 sse3 sse2 sse`, "i386: sse4.2 sse4.1 ssse3 popcnt sse3 sse2 sse"].join("\n"))
  }
  return ok(hasFlag(parsed, "b") ? "64" : hasFlag(parsed, "k") || hasFlag(parsed, "n") ? "amd64" : "amd64 i386")
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** `who -r`: the run level, which changes before the first service is stopped. @category commands */
export const who: InstantCommand = ({ host }, args) => {
  if (args.join(" ") !== "-r") return fail("\nUsage:\twho [-abdHlmpqrstTu] [am i] [utmp_like_file]", 1)
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(host.bootTime))
  const two = (value: number) => String(value).padStart(2, "0")
  const level = host.runLevel ?? "3"
  return ok(`   .       run-level ${level}  ${months[at.month - 1] ?? ""} ${String(at.day).padStart(2)} ${two(at.hours)}:${two(at.minutes)}     ${level}      0  ${host.runLevel === undefined ? "S" : "3"}`)
}

const since = (millis: number): string => {
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(millis))
  const two = (value: number) => String(value).padStart(2, "0")
  return `${two(at.month)}/${two(at.day)}/${at.year} ${two(at.hours)}:${two(at.minutes)}:${two(at.seconds)}`
}

/** `psrinfo [-p|-t] [-v] [cpu…]`. @category commands @category commands */
export const psrinfo: InstantCommand = (context, args) => {
  const parsed = getopt(args, "pstvc")
  if (parsed.error !== undefined) return fail("usage: \n\tpsrinfo [-v] [-p] [processor_id ...]\n\tpsrinfo -s [-p] processor_id", 2)
  if (hasFlag(parsed, "p")) return ok("1")
  if (hasFlag(parsed, "t")) return ok(String(context.host.cpus))
  const wanted = parsed.operands.length === 0 ? Array.from({ length: context.host.cpus }, (_, cpu) => String(cpu)) : parsed.operands
  const missing = wanted.find((cpu) => !/^\d+$/.test(cpu) || Number(cpu) >= context.host.cpus)
  if (missing !== undefined) return fail(`psrinfo: processor ${missing}: Invalid argument`)
  return ok(wanted.map((cpu) => `${cpu}\t${"on-line".padEnd(8)}  since ${since(context.host.bootTime)}`).join("\n"))
}

/** `prtconf [-m]`. @category commands @category commands */
export const prtconf: InstantCommand = (context, args) =>
  args.length === 1 && args[0] === "-m"
    ? ok(String(context.host.memoryMiB))
    : args.length === 0
    ? ok(`System Configuration:  illumos  i86pc\nMemory size: ${context.host.memoryMiB} Megabytes\nSystem Peripherals (Software Nodes):\n\ni86pc`)
    : fail("prtconf: usage: prtconf [-m]", 1)

/** `chmod <octal mode> <file>…` on the emulated file system. @category commands @category commands */
export const chmod: InstantCommand = (context, args) => {
  const [mode = "", ...names] = args
  if (names.length === 0) return fail("usage:\tchmod [-fR] <absolute-mode> file ...", 255)
  if (!/^[0-7]{3,4}$/.test(mode)) return fail(`chmod: ERROR: invalid mode`, 1)
  for (const name of names) {
    const real = context.files.real(name)
    if (fs.lstatSync(real, { throwIfNoEntry: false })?.isSymbolicLink() !== false) return fail(`chmod: WARNING: can't access ${name}`, 1)
    fs.chmodSync(real, Number.parseInt(mode, 8))
  }
  return ok()
}

/** `mkdir [-p] [-m <octal mode>] <folder>…` on the emulated file system. @category commands @category commands */
export const mkdir: InstantCommand = (context, args) => {
  const parsed = getopt(args, "m:p")
  if (parsed.error !== undefined || parsed.operands.length === 0) return fail("usage: mkdir [-m mode] [-p] dirname ...", 2)
  const mode = Number.parseInt(lastValue(parsed, "m") ?? "755", 8)
  for (const name of parsed.operands) {
    const real = context.files.real(name)
    const parent = context.files.real(`${name}/..`)
    if (!hasFlag(parsed, "p") && fs.existsSync(real)) return fail(`mkdir: Failed to make directory "${name}"; File exists`, 2)
    if (!hasFlag(parsed, "p") && !fs.existsSync(parent)) return fail(`mkdir: Failed to make directory "${name}"; No such file or directory`, 2)
    context.files.makeDirectory(real, mode)
  }
  return ok()
}
