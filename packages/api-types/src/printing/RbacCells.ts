/** Table rows of role bindings. */
import type * as RbacV1 from "../generated/RbacV1.js"
import { age, ageCell, name, text, wide } from "../internal/columns.js"
import type { Cell, Column } from "../Kind.js"

/** The columns of both kinds of role bindings. @category models */
export const bindingColumns: ReadonlyArray<Column> = [
  name,
  text("Role", "Kind and name of the role."),
  age,
  wide("Users", "Users that have the role."),
  wide("Groups", "Groups that have the role."),
  wide("ServiceAccounts", "Service accounts that have the role.")
]

const subjectsOf = (binding: Pick<RbacV1.RoleBinding, "subjects">, kind: string): string =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name}` : subject.name))
    .join(", ")

/** Cells in the order of `bindingColumns`. @category combinators */
export const bindingCells = (binding: RbacV1.RoleBinding | RbacV1.ClusterRoleBinding, now: number): ReadonlyArray<Cell> => [
  binding.metadata.name ?? "",
  `${binding.roleRef.kind}/${binding.roleRef.name}`,
  ageCell(binding, now),
  subjectsOf(binding, "User"),
  subjectsOf(binding, "Group"),
  subjectsOf(binding, "ServiceAccount")
]
