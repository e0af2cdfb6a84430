/** Query parameters of writes. */
import { FieldError, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/** What to do about fields that the kind does not have. */
export type FieldValidation = "Ignore" | "Warn" | "Strict"

/** Options of a create, update or patch. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
}

const defaults: WriteOptions = { dryRun: false, fieldValidation: "Warn" }

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

/** Reads the options of a write; the failure is the Status to answer. */
export const parse = (query: URLSearchParams, kind: OptionsKind): Either.Either<WriteOptions, Status.Status> => {
  if (query.size === 0) return Either.right(defaults)
  const dryRun = query.getAll("dryRun")
  const validation = query.get("fieldValidation") ?? ""
  const errors = [
    ...checkDryRun(dryRun),
    ...checkFieldManager(query.get("fieldManager") ?? ""),
    ...(validation === "" || isFieldValidation(validation)
      ? []
      : [FieldError.notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])]),
    ...(kind === "PatchOptions" && (query.get("force") ?? "") !== ""
      ? [FieldError.forbidden("force", "may not be specified for non-apply patch")]
      : [])
  ]
  return errors.length > 0
    ? invalid(kind, errors)
    : Either.right({
      dryRun: dryRun.includes("All"),
      fieldValidation: isFieldValidation(validation) ? validation : "Warn"
    })
}

/** Checks `dryRun` values that came in a body. */
export const dryRunOf = (values: ReadonlyArray<string>): Either.Either<boolean, Status.Status> => {
  const errors = checkDryRun(values)
  return errors.length > 0 ? invalid("DeleteOptions", errors) : Either.right(values.includes("All"))
}
