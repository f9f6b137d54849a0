package delivery

import "fmt"

// Move says in whole sentences what it takes to go from what a tenant has to a
// path, and what it means for people: first whether it can be done at all. A
// tenant that is on the path already is told so; one from which there is no way
// gets a first sentence that says that and why.
//
// The facts are those of https://auth0.com/docs/customize/phone-messages and of
// the guides of this project; how a tenant that was made with the Unified Phone
// Experience refuses to leave it is not recorded.
func Move(from Tenant, to Path) []string {
	switch {
	case to == PathNone || to == "":
		return []string{"No path was chosen, so nothing moves."}
	case from.Path == to:
		return stay(from)
	case to == PathHook:
		return []string{"There is no way to a hook: Auth0 has taken no new ones since 2024-11-18 and ended them on 2026-11-18."}
	case to == PathUnified:
		return toUnified(from)
	case from.Path == PathUnified:
		return backToAction(from)
	default:
		return toAction(from)
	}
}

// CanMove tells whether there is a way from what a tenant has to a path; sure is
// false where only Auth0 can tell, when it is asked.
func CanMove(from Tenant, to Path) (possible, sure bool) {
	switch {
	case to == from.Path || to == PathUnified:
		return true, true
	case to == PathHook:
		return false, true
	case from.Path == PathUnified:
		return from.Flag, !from.Flag
	default:
		return true, true
	}
}

func stay(t Tenant) []string {
	switch {
	case t.Path == PathHook:
		return []string{"Nothing moves: the tenant has a hook already. Auth0 ended hooks on 2026-11-18, so move on to an Action."}
	case t.Path == PathUnified && t.PhoneProvider != nil && t.PhoneProvider.Name != PhoneProviderCustom:
		return []string{
			"The tenant has the Unified Phone Experience already, and sends through " + t.PhoneProvider.Name + ".",
			"The provider custom takes its place (take_over = true). The credentials of " + t.PhoneProvider.Name + " cannot be given back, as Auth0 never shows them: keep them elsewhere.",
			everyMessage,
		}
	case t.Live == "" && len(t.Senders) == 0:
		return []string{"Nothing moves: the tenant is on this path already, and nothing of its own sends yet.", whoSendsUntilThen(t)}
	default:
		return []string{"Nothing moves: the tenant is on this path already."}
	}
}

// everyMessage is what the unified path means beside MFA.
const everyMessage = "Every phone message of the tenant goes that way: passwordless codes, password resets and notices by phone, too, with the templates of the Unified Phone Experience."

func toUnified(from Tenant) []string {
	lines := []string{"The tenant goes over to the Unified Phone Experience, in one apply: its setting phone_consolidated_experience becomes true."}
	switch {
	case from.Live != "" || from.Path == PathHook || from.Path == PathAction:
		lines = append(lines,
			fmt.Sprintf("The %s sends until then; the new Action has its own key before it is asked. Nobody is enrolled anew, and no code is lost.", oldSender(from.Path)),
			"For about 20 seconds people get Auth0's own texts, until the configured ones are written as phone templates.")
	default:
		lines = append(lines, whoSendsUntilThen(from))
	}
	lines = append(lines, everyMessage)
	if p := from.PhoneProvider; p != nil && p.Name != PhoneProviderCustom {
		lines = append(lines, "The phone provider "+p.Name+" loses its place (take_over = true), and its credentials cannot be given back.")
	}
	if from.Path == PathHook {
		return append(lines, "There is no way back to the hook.")
	}
	return append(lines, "The way back is an apply with force_destroy; legacy texts that are only in the Dashboard do not move.")
}

func toAction(from Tenant) []string {
	if from.Path == PathHook {
		return []string{
			"An Action of send-phone-message takes the place of the hook, in one apply of about 35 seconds.",
			"The hook sends until the Action is bound. The factor stays on, nobody is enrolled anew, and no code is lost; for two or three seconds both are there, and Auth0 has documented no order.",
			"There is no way back: Auth0 takes no new hooks.",
		}
	}
	return []string{
		"An Action of send-phone-message is made and bound, and the SMS factor is turned to it (provider Custom).",
		whoSendsUntilThen(from),
		"Newer is the Unified Phone Experience: a tenant that can go there moves once.",
	}
}

func backToAction(from Tenant) []string {
	if !from.Flag {
		return []string{
			"There is no way back: a tenant that was made with the Unified Phone Experience cannot leave it through the API, only Auth0 support can do that.",
		}
	}
	return []string{
		"The tenant leaves the Unified Phone Experience, if Auth0 lets it: it does for one that was moved there, and not for one that was made there.",
		"It takes force_destroy on the phone provider: nobody can see before which provider the legacy way has selected, and that one sends for 20 seconds.",
		"Passwordless codes, password resets and notices by phone go back to the legacy way, too.",
	}
}

func oldSender(p Path) string {
	if p == PathHook {
		return "hook"
	}
	return "old Action"
}

// whoSendsUntilThen is for a tenant without a sender of its own.
func whoSendsUntilThen(t Tenant) string {
	switch {
	case !t.FactorOn:
		return "The SMS factor is off now. Nobody gets a code by SMS until it is turned on, which comes last."
	case t.SelectedProvider != "" && t.SelectedProvider != ProviderCustom:
		return fmt.Sprintf("The SMS factor is on, and codes come through %s until it is turned to the new sender, which comes last.", t.SelectedProvider)
	default:
		return "The SMS factor is on with nobody to send: people who are asked for a code by SMS get none until the apply is done."
	}
}
