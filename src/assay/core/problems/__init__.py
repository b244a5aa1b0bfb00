"""Problems that tasks pose and techniques work on: numbers to be made into a goal, functions to be written."""
