"""What axe, and the width of the page, have against the state that a page is in."""


def complaints(page, axe, state):
    # Not as a script of the page: the policy of one that is served lets none in.
    found = page.evaluate(axe + "; axe.run(document, { resultTypes: ['violations'] })")
    told = []
    for violation in found["violations"]:
        nodes = "; ".join(node["html"][:120] + " " + node["failureSummary"] for node in violation["nodes"][:3])
        told.append(f"axe, {state}: {violation['id']}: {nodes}")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return told + ([f"{state}: {wide} px wider than the window"] if wide > 0 else [])
