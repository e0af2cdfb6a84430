import type * as Kind from "../../Kind.js"
import { mutatingAdmissionPolicy } from "../MutatingAdmissionPolicy.js"
import { mutatingAdmissionPolicyBinding } from "../MutatingAdmissionPolicyBinding.js"
import { mutatingWebhookConfiguration } from "../MutatingWebhookConfiguration.js"
import { validatingAdmissionPolicy } from "../ValidatingAdmissionPolicy.js"
import { validatingAdmissionPolicyBinding } from "../ValidatingAdmissionPolicyBinding.js"
import { validatingWebhookConfiguration } from "../ValidatingWebhookConfiguration.js"

export {
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingWebhookConfiguration,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  validatingWebhookConfiguration
}

/** The kinds of `admissionregistration.k8s.io`, in the order of discovery. @category constructors */
export const admissionregistration: ReadonlyArray<Kind.Kind> = [
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingWebhookConfiguration,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  validatingWebhookConfiguration
]
