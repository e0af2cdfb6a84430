/** `zfs allow` and `zfs unallow`: permissions are kept and shown; the emulated user is root, whom they do not concern. */
import type { InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { ok, type Result } from "../internal/result.js"
import * as Datasets from "./Datasets.js"
import * as Properties from "./Properties.js"
import { notOpen, usage } from "./ZfsUsage.js"

type Grants = NonNullable<Dataset["grants"]>
type Scope = Grants[number]["scope"]

const operations: ReadonlySet<string> = new Set([
  "allow", "clone", "create", "destroy", "diff", "hold", "mount", "promote", "receive", "release", "rename", "rollback", "send", "share",
  "snapshot", "bookmark", "groupquota", "groupused", "userprop", "userquota", "userused", "load-key", "change-key"
])

const isPermission = (text: string): boolean => operations.has(text) || Properties.isSettable(text) || /^@[A-Za-z0-9._-]{1,63}$/.test(text)

const headings: ReadonlyArray<readonly [Scope, string]> = [
  ["local", "Local permissions:"],
  ["descendants", "Descendent permissions:"],
  ["both", "Local+Descendent permissions:"]
]

const show = (host: Parameters<typeof Datasets.find>[0], name: string): string => {
  const parts = name.split("/")
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("/")).flatMap((owner) => {
    const grants = (Datasets.find(host, owner)?.grants ?? []).filter(({ scope }) => owner === name || scope !== "local")
    if (grants.length === 0) return []
    const title = `---- Permissions on ${owner} `
    const groups = headings.flatMap(([scope, heading]) => {
      const lines = grants.filter((grant) => grant.scope === scope).map(({ permissions, who }) => `\t${who} ${permissions.join(",")}`)
      return lines.length === 0 ? [] : [heading, ...lines]
    })
    return [title.padEnd(71, "-"), ...groups]
  }).join("\n")
}

interface Request {
  readonly who: ReadonlyArray<string>
  readonly permissions: ReadonlyArray<string>
  readonly dataset: string
  readonly scope: Scope
}

const request = (operation: "allow" | "unallow", args: ReadonlyArray<string>): Request | Result => {
  const parsed = getopt(args, operation === "allow" ? "ldugec" : "rldugec")
  if (parsed.error !== undefined) return usage(operation, parsed.error)
  const [local, below] = [hasFlag(parsed, "l"), hasFlag(parsed, "d")]
  const scope: Scope = local === below ? "both" : local ? "local" : "descendants"
  const everyone = hasFlag(parsed, "e")
  const words = [...parsed.operands]
  const dataset = words.pop()
  const subject = everyone ? "" : words.shift()
  const permissions = words.shift()
  if (dataset === undefined || subject === undefined || words.length > 0 || (operation === "allow" && permissions === undefined)) {
    return usage(operation, "wrong number of parameters")
  }
  const kind = hasFlag(parsed, "g") ? "group" : "user"
  const who = everyone || subject === "everyone" ? ["everyone"] : subject.split(",").map((name) => `${kind} ${name}`)
  const list = (permissions ?? "").split(",").filter((word) => word !== "")
  const bad = list.find((word) => !isPermission(word))
  return bad === undefined ? { who, permissions: list, dataset, scope } : usage(operation, `invalid permission '${bad}'`)
}

const covers = (scope: Scope, other: Scope): boolean => scope === "both" || scope === other

/** `zfs allow`. @category commands */
export const allow: InstantCommand = ({ host }, args) => {
  if (args.length === 1 && args[0]?.startsWith("-") === false) {
    const [name = ""] = args
    return Datasets.find(host, name) === undefined ? notOpen(name) : ok(show(host, name))
  }
  const wanted = request("allow", args)
  if ("exitCode" in wanted) return wanted
  const dataset = Datasets.find(host, wanted.dataset)
  if (dataset === undefined) return notOpen(wanted.dataset)
  const grants = dataset.grants ?? []
  for (const who of wanted.who) {
    const before = grants.find((grant) => grant.who === who && grant.scope === wanted.scope)
    const permissions = [...new Set([...before?.permissions ?? [], ...wanted.permissions])].sort()
    if (before !== undefined) grants.splice(grants.indexOf(before), 1)
    grants.push({ who, scope: wanted.scope, permissions })
  }
  dataset.grants = grants
  return ok()
}

/** `zfs unallow`. @category commands */
export const unallow: InstantCommand = ({ host }, args) => {
  const wanted = request("unallow", args)
  if ("exitCode" in wanted) return wanted
  const dataset = Datasets.find(host, wanted.dataset)
  if (dataset === undefined) return notOpen(wanted.dataset)
  dataset.grants = (dataset.grants ?? []).flatMap((grant) => {
    if (!wanted.who.includes(grant.who) || !covers(wanted.scope, grant.scope)) return [grant]
    const left = wanted.permissions.length === 0 ? [] : grant.permissions.filter((word) => !wanted.permissions.includes(word))
    return left.length === 0 ? [] : [{ ...grant, permissions: left }]
  })
  return ok()
}
