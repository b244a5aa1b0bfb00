"""The door for the eye: pages served on this machine to look at verdicts, watch runs, branch, compare and vote.

Pages are rendered here and work without a build step; small ES modules add what moves. Runs are processes of
their own (`assay resume RUN`), so closing the studio stops none of them, and whatever was started at the
terminal can be watched here.
"""
