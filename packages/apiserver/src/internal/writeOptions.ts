/** Query parameters of writes. */
import { FieldError, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/** What to do about fields that the kind does not have. */
export type FieldValidation = "Ignore" | "Warn" | "Strict"

/** Options of a create, update or patch. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
  /** An apply takes fields that other managers own. */
  readonly force: boolean
}

const defaults: WriteOptions = { dryRun: false, fieldValidation: "Warn", force: false }

/** Which options object a failure is about. */
export type OptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions" | "DeleteOptions"

const invalid = (kind: OptionsKind, errors: ReadonlyArray<FieldError.FieldError>) =>
  Either.left(Status.invalid({ group: "meta.k8s.io", kind }, "", errors))

const checkDryRun = (values: ReadonlyArray<string>): ReadonlyArray<FieldError.FieldError> => {
  const given = values.filter((value) => value !== "")
  return given.every((value) => value === "All") ? [] : [FieldError.notSupported("dryRun", given, ["All"])]
}

const isFieldValidation = (text: string): text is FieldValidation =>
  text === "Ignore" || text === "Warn" || text === "Strict"

const checkFieldManager = (manager: string): ReadonlyArray<FieldError.FieldError> => {
  if (manager.length > 128) return [FieldError.tooLong("fieldManager", 128)]
  return /^\P{C}*$/u.test(manager)
    ? []
    : [FieldError.invalid("fieldManager", manager, "should not contain non-printable characters")]
}

// Anything but a clear no is a yes, as in Kubernetes.
const forced = (text: string): boolean => text !== "" && text !== "0" && text.toLowerCase() !== "false"

const checkApply = (query: URLSearchParams): ReadonlyArray<FieldError.FieldError> =>
  (query.get("fieldManager") ?? "") === "" ? [FieldError.required("fieldManager", "is required for apply patch")] : []

const checkForce = (query: URLSearchParams): ReadonlyArray<FieldError.FieldError> =>
  (query.get("force") ?? "") === "" ? [] : [FieldError.forbidden("force", "may not be specified for non-apply patch")]

/** Reads the options of a write; the failure is the Status to answer. An apply needs a manager and may be forced. */
export const parse = (
  query: URLSearchParams,
  kind: OptionsKind,
  isApply = false
): Either.Either<WriteOptions, Status.Status> => {
  if (query.size === 0 && !isApply) return Either.right(defaults)
  const dryRun = query.getAll("dryRun")
  const validation = query.get("fieldValidation") ?? ""
  const errors = [
    ...(isApply ? checkApply(query) : kind === "PatchOptions" ? checkForce(query) : []),
    ...checkFieldManager(query.get("fieldManager") ?? ""),
    ...checkDryRun(dryRun),
    ...(validation === "" || isFieldValidation(validation)
      ? []
      : [FieldError.notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])])
  ]
  return errors.length > 0
    ? invalid(kind, errors)
    : Either.right({
      dryRun: dryRun.includes("All"),
      force: isApply && forced(query.get("force") ?? ""),
      fieldValidation: isFieldValidation(validation) ? validation : "Warn"
    })
}

/** Checks `dryRun` values that came in a body. */
export const dryRunOf = (values: ReadonlyArray<string>): Either.Either<boolean, Status.Status> => {
  const errors = checkDryRun(values)
  return errors.length > 0 ? invalid("DeleteOptions", errors) : Either.right(values.includes("All"))
}
