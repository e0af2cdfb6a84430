/** Permissions on datasets for users who are not root: command lines of `zfs allow` and `zfs unallow`, and what `zfs allow` prints. */
import { CommandLine } from "@reddwarf/runtime-illumos"
import type { DatasetName } from "./DatasetName.js"

const program = "/usr/sbin/zfs"

/** Who gets a permission. @category models */
export type Grantee =
  | { readonly kind: "user"; readonly name: string }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "everyone" }

/** Where a permission counts: on the dataset and below it, only on it, only below it. @category models */
export type Scope = "both" | "local" | "descendants"

const scopeFlags: Readonly<Record<Scope, ReadonlyArray<string>>> = { both: [], local: ["-l"], descendants: ["-d"] }

const granteeWords = (grantee: Grantee): ReadonlyArray<string> =>
  grantee.kind === "everyone" ? ["-e"] : [grantee.kind === "user" ? "-u" : "-g", grantee.name]

/** Whether the text can name a user, a group or a permission. @category combinators */
export const isName = (text: string): boolean => /^[A-Za-z0-9_@][A-Za-z0-9_.@-]{0,63}$/.test(text)

/** Gives permissions such as `create`, `mount`, `snapshot`, `send`. @category constructors */
export const allow = (
  dataset: DatasetName,
  grantee: Grantee,
  permissions: ReadonlyArray<string>,
  scope: Scope = "both"
): CommandLine.CommandLine =>
  CommandLine.make(program, "allow", ...scopeFlags[scope], ...granteeWords(grantee), permissions.join(","), dataset)

/** Takes permissions back; none named means all of the grantee. @category constructors */
export const unallow = (
  dataset: DatasetName,
  grantee: Grantee,
  permissions: ReadonlyArray<string> = [],
  scope: Scope = "both"
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "unallow",
    ...scopeFlags[scope],
    ...granteeWords(grantee),
    ...(permissions.length === 0 ? [] : [permissions.join(",")]),
    dataset
  )

/** Prints the permissions on a dataset and those it has from above; see `parse`. @category constructors */
export const show = (dataset: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "allow", dataset)

/** One line of what `zfs allow` prints. @category models */
export interface Grant {
  /** The dataset on which it was given. */
  readonly dataset: string
  readonly scope: Scope
  readonly grantee: Grantee
  readonly permissions: ReadonlyArray<string>
}

const headings: Readonly<Record<string, Scope>> = {
  "Local permissions:": "local",
  "Descendent permissions:": "descendants",
  "Descendant permissions:": "descendants",
  "Local+Descendent permissions:": "both",
  "Local+Descendant permissions:": "both"
}

/** Grants in the order printed. Permission sets and create-time permissions are left out. @category combinators */
export const parse = (text: string): ReadonlyArray<Grant> => {
  const grants: Array<Grant> = []
  let dataset = ""
  let scope: Scope | undefined
  for (const line of text.split("\n")) {
    const title = /^-+ Permissions on (\S+) -+$/.exec(line)
    if (title !== null) {
      dataset = title[1] ?? ""
      scope = undefined
      continue
    }
    if (/^\S.*:$/.test(line)) {
      scope = headings[line]
      continue
    }
    const words = line.trim().split(/\s+/)
    if (scope === undefined || words.length < 2) continue
    const [kind, name = "", list = ""] = words
    const grantee: Grantee | undefined = kind === "everyone"
      ? { kind }
      : kind === "user" || kind === "group" ? { kind, name } : undefined
    if (grantee === undefined) continue
    grants.push({ dataset, scope, grantee, permissions: (grantee.kind === "everyone" ? name : list).split(",") })
  }
  return grants
}
