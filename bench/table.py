def text(f):
    import json
    return json.dumps(f, indent=1)
