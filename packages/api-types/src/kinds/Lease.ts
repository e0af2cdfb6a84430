/** Lease: who leads, and the heartbeat of a node. */
import type * as CoordinationV1 from "../generated/CoordinationV1.js"
import type * as FieldError from "../FieldError.js"
import { forbidden, invalid, invalidEach, notSupported } from "../FieldError.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"

const validateLease = ({ spec = {} }: CoordinationV1.Lease): ReadonlyArray<FieldError.FieldError> => {
  const errors: Array<FieldError.FieldError> = []
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
    errors.push(invalid("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"))
  }
  if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
    errors.push(invalid("spec.leaseTransitions", spec.leaseTransitions, "must be greater than or equal to 0"))
  }
  if (spec.strategy !== undefined) {
    if (spec.strategy.includes("/")) {
      errors.push(...invalidEach("spec.strategy.strategy", spec.strategy, Names.isQualifiedName(spec.strategy)))
    } else if (spec.strategy !== "OldestEmulationVersion") {
      errors.push(notSupported("spec.strategy.strategy", spec.strategy, ["OldestEmulationVersion"]))
    }
  }
  if ((spec.preferredHolder ?? "") !== "" && (spec.strategy ?? "") === "") {
    errors.push(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"))
  }
  return errors
}

/** @category constructors */
export const lease: Kind.Kind<CoordinationV1.Lease> = Kind.make<CoordinationV1.Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
  schema: "io.k8s.api.coordination.v1.Lease",
  // Leader election relies on both: the first writer creates by PUT, and every later PUT names the version it has seen.
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validateContent: validateLease,
  validateContentUpdate: validateLease,
  columns: [name, text("Holder", "Identity of the current holder."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.spec?.holderIdentity ?? "", ageCell(object, now)]
})
