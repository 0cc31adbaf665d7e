namespace Engram.Evaluation;

/// <summary>A file of <see cref="ExperimentCheckpoints"/> cannot be gone on from; the message names it and says what to delete.</summary>
/// <param name="message">What is damaged, and what happens without it.</param>
/// <param name="inner">What was found.</param>
public sealed class DamagedCheckpointException(string message, Exception? inner = null) : Exception(message, inner);
