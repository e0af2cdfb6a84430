/** Findings for people and for programs. */
import type { Finding, Status } from "./HostCheck.js"
import { isUsable } from "./HostCheck.js"

/** What programs read. @category models */
export interface Report {
  readonly kind: "HostCheckReport"
  /** Whether nothing is in the way of running pods. */
  readonly usable: boolean
  readonly findings: ReadonlyArray<Finding>
}

/** @category constructors */
export const of = (findings: ReadonlyArray<Finding>): Report => ({ kind: "HostCheckReport", usable: isUsable(findings), findings })

const words: Readonly<Record<Status, string>> = { ok: "ok", warning: "WARNING", problem: "PROBLEM", unknown: "UNKNOWN" }

/**
 * A table with one line for each check, and below what is not as it should be, what to do about it.
 *
 * @category combinators
 */
export const table = ({ findings, usable }: Report): string => {
  const rows = [["CHECK", "STATUS", "FOUND"], ...findings.map(({ found, name, status }) => [name, words[status], found])]
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
  const steps = findings.flatMap(({ name, next, status }) => status === "ok" || next === undefined ? [] : [`${words[status]} ${name}: ${next}`])
  const counts = (["problem", "unknown", "warning"] as const).flatMap((status) => {
    const count = findings.filter((finding) => finding.status === status).length
    return count === 0 ? [] : [`${count} ${status}${count === 1 || status === "unknown" ? "" : "s"}`]
  })
  const verdict = `${usable ? "This host can be used" : "This host cannot be used yet"}${counts.length === 0 ? "" : `: ${counts.join(", ")}`}.`
  return [...lines, ...(steps.length === 0 ? [] : ["", ...steps]), "", verdict].join("\n")
}
