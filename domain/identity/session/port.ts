/** Sign-in by what another context proves. */
export {
  APPROVAL_KEPT_SECONDS,
  type ApprovalStanding,
  type CodeProofs,
  type CodeSignInDeps,
  SIGN_IN_PURPOSE,
  signInWithApproval,
  signInWithCode,
} from './sign-in.ts';
