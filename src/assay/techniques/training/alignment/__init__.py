"""Stages after pretraining: supervised tuning, reward models, preferences, reinforcement learning."""
