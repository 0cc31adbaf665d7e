namespace Engram.Learning;

/// <summary>A place inside an experience. With the seed it determines everything that follows.</summary>
/// <param name="Experience">Index of the experience.</param>
/// <param name="Step">Steps done.</param>
/// <param name="LowestLoss">The lowest validation loss so far, with <see cref="EarlyStopping"/>.</param>
/// <param name="EpochsSinceLowest">Epochs since then.</param>
/// <param name="Ended">Mechanisms that have ended the experience, after its last step.</param>
public sealed record LearningCursor(int Experience, long Step, double? LowestLoss = null, int EpochsSinceLowest = 0, int Ended = 0);
