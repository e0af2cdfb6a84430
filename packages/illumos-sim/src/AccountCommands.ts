/** Commands by which automation finds out what it may do and how the host is set up: id, ppriv, getent, cat, dispadmin, pkg. */
import * as fs from "node:fs"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import { getopt, hasFlag } from "./internal/getopt.js"
import { fail, ok, result } from "./internal/result.js"

/** `id [-a]`. @category commands */
export const id: InstantCommand = ({ host }, args) => {
  const parsed = getopt(args, "ap")
  if (parsed.error !== undefined || parsed.operands.length > 0) return fail("usage: id [-ap] [user]", 1)
  const { name, uid } = host.account ?? { name: "root", uid: 0 }
  return ok(`uid=${uid}(${name}) gid=${uid === 0 ? "0(root)" : "10(staff)"}`)
}

/** `ppriv <pid>`: the privileges of whoever runs the commands; the pid is believed. @category commands */
export const ppriv: InstantCommand = ({ host }, args) => {
  const parsed = getopt(args, "lvSs:eDMNn")
  const [pid = ""] = parsed.operands
  if (parsed.error !== undefined || !/^\d+$/.test(pid)) return fail("usage:\n\tppriv [-v] [-S] [-D|-N] [-s spec] { pid | core } ...", 1)
  const sets = host.account?.privileges.join(",") ?? "all"
  return ok(`${pid}:\tnode\nflags = <none>\n\tE: ${sets}\n\tI: ${host.account === undefined ? "basic" : sets}\n\tP: ${sets}\n\tL: all`)
}

const linesOf = (context: HostContext, path: string): ReadonlyArray<string> => {
  const real = context.files.real(path)
  return fs.existsSync(real) ? fs.readFileSync(real, "utf8").split("\n") : []
}

/** `getent hosts <name>…`, from the hosts file of the emulated host. @category commands */
export const getent: InstantCommand = (context, args) => {
  const [database, ...keys] = args
  if (database === undefined) return fail("usage: getent database [key ...]", 1)
  if (database !== "hosts" && database !== "ipnodes") return fail(`Unknown database: ${database}`, 1)
  const entries = linesOf(context, "/etc/hosts").map((line) => line.replace(/#.*/, "").trim().split(/\s+/)).filter((words) => words.length > 1)
  const lines = keys.map((key) => entries.find(([address, ...names]) => address === key || names.includes(key))?.join("\t"))
  const found = lines.flatMap((line) => line ?? [])
  return result(found.length < keys.length ? 2 : 0, found.join("\n"))
}

/** `cat <file>…` on the emulated file system. @category commands */
export const cat: InstantCommand = (context, args) => {
  const texts: Array<string> = []
  for (const name of args) {
    const real = context.files.real(name)
    if (!fs.existsSync(real)) return { exitCode: 2, stdout: texts.join(""), stderr: `cat: cannot open ${name}: No such file or directory\n` }
    texts.push(fs.readFileSync(real, "utf8"))
  }
  return { exitCode: 0, stdout: texts.join(""), stderr: "" }
}

const classNames: Readonly<Record<string, string>> = { FSS: "Fair Share", TS: "Time Sharing", FX: "Fixed Priority", IA: "Interactive", RT: "Real Time" }

/** `dispadmin -d [<class>]`: shows or sets the scheduling class of new processes. @category commands */
export const dispadmin: InstantCommand = ({ host }, args) => {
  const parsed = getopt(args, "lc:gr:s:d")
  const [wanted] = parsed.operands
  if (parsed.error !== undefined || parsed.operands.length > 1) return fail("usage:\tdispadmin -l\n\tdispadmin -c class -g [-r res]\n\tdispadmin -c class -s file\n\tdispadmin -d [class]", 1)
  if (hasFlag(parsed, "l")) return ok(["CONFIGURED CLASSES", "==================", "", "SYS\t(System Class)", ...Object.entries(classNames).map(([name, text]) => `${name}\t(${text})`)].join("\n"))
  if (!hasFlag(parsed, "d")) return fail("usage:\tdispadmin -d [class]", 1)
  if (wanted === undefined) {
    const name = host.schedulingClass ?? "FSS"
    return name === "" ? fail("dispadmin: Default scheduling class is not set") : ok(`${name}\t(${classNames[name] ?? name})`)
  }
  if (classNames[wanted] === undefined) return fail(`dispadmin: Scheduling class ${wanted} is not configured.`)
  host.schedulingClass = wanted
  return ok()
}

/** `pkg list -H [<pattern>…]`: the packages of the installed brands. @category commands */
export const pkg: InstantCommand = ({ host }, args) => {
  const [subcommand, ...rest] = args
  const parsed = getopt(rest, "aHfnsuv")
  if (subcommand !== "list" || parsed.error !== undefined) return fail(`pkg: unknown subcommand '${subcommand ?? ""}'\n\nFor a full list of subcommands, run: pkg help`, 2)
  const installed = ["SUNWcs", "system/zones", ...host.brands.map((brand) => `system/zones/brand/${brand}`)].sort()
  const tests = parsed.operands.map((pattern) => ({
    pattern,
    regex: new RegExp(`(^|/)${pattern.replace(/^pkg:\/+/, "").replaceAll(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`)
  }))
  const unmatched = tests.filter(({ regex }) => !installed.some((name) => regex.test(name)))
  const shown = installed.filter((name) => tests.length === 0 || tests.some(({ regex }) => regex.test(name)))
  const rows = shown.map((name) => `${name.padEnd(49)} ${"0.5.11-151054.0".padEnd(26)} i--`)
  const problem = unmatched.length === 0 ? "" : `\npkg list: no packages matching the following patterns are installed:\n${unmatched.map(({ pattern }) => `  ${pattern}`).join("\n")}`
  const heading = `${"NAME (PUBLISHER)".padEnd(49)} ${"VERSION".padEnd(26)} IFO`
  return result(unmatched.length === 0 ? 0 : shown.length === 0 ? 1 : 3, [...(hasFlag(parsed, "H") || rows.length === 0 ? [] : [heading]), ...rows].join("\n"), problem)
}
