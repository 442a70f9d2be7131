package doctor

import "slices"

// Checks returns every check in the order of the chain: metadata, role,
// region, credentials, STS, Bedrock, then what runs on the machine.
func Checks() []Check {
	return slices.Concat(
		metadataChecks(), roleChecks(), regionChecks(), sourceChecks(), identityChecks(), clockChecks(), modelChecks(), containerChecks(),
	)
}
