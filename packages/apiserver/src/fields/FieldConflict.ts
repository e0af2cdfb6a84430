/** The refusal of an apply that would take fields from other managers. */
import { Status } from "@reddwarf/api-types"
import * as FieldSet from "./FieldSet.js"
import type { Manager, Ownership } from "./ManagedFields.js"
import * as PathElement from "./PathElement.js"

const shown = ({ apiVersion, name, operation, subresource }: Manager): string => {
  const quoted = JSON.stringify(name)
  const part = subresource === "" ? quoted : `${quoted} with subresource ${JSON.stringify(subresource)}`
  return operation === "Update" ? `${part} using ${apiVersion}` : part
}

const message = (conflicts: ReadonlyArray<readonly [manager: string, path: string]>): string => {
  const [first] = conflicts
  if (first !== undefined && conflicts.length === 1) return `Apply failed with 1 conflict: conflict with ${first[0]}: ${first[1]}`
  const lines: Array<string> = []
  let last: string | undefined
  for (const [manager, path] of conflicts) {
    if (manager !== last) lines.push(`conflicts with ${manager}:`)
    lines.push(`- ${path}`)
    last = manager
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`
}

/**
 * 409 with one cause for each field in conflict.
 *
 * @param owners Who owns what of the fields in conflict.
 * @category constructors
 */
export const status = (owners: ReadonlyArray<Ownership>): Status.Status => {
  const conflicts = owners
    .map(({ fields, manager }) => ({ manager: shown(manager), fields }))
    .sort((a, b) => a.manager < b.manager ? -1 : a.manager > b.manager ? 1 : 0)
    .flatMap(({ fields, manager }) => FieldSet.paths(fields).map((path) => [manager, PathElement.printPath(path)] as const))
  return Status.failure(409, "Conflict", message(conflicts), {
    causes: conflicts.map(([manager, field]) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${manager}`,
      field
    }))
  })
}
