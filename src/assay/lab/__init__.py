"""Runs arms over samples: driver, experiment, controls, evidence, store."""
