/** Defaults of claims, alone or as templates of a StatefulSet. */
import type * as CoreV1 from "../generated/CoreV1.js"

/** @category combinators */
export const volumeClaimDefaults = (claim: CoreV1.PersistentVolumeClaim): CoreV1.PersistentVolumeClaim => ({
  ...claim,
  spec: { ...claim.spec, volumeMode: claim.spec?.volumeMode ?? "Filesystem" },
  status: (claim.status?.phase ?? "") === "" ? { ...claim.status, phase: "Pending" } : (claim.status ?? {})
})
