"""What to paste for each remedy: a Markdown file each, a heading and a block for each client or server.

The pages of ``econnlab remedies --show NAME``; see econnlab.explain.snippet.
"""
