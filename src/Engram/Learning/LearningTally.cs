namespace Engram.Learning;

/// <summary>What learning the experience in progress has cost so far; saved with it, so that a restart goes on counting.</summary>
/// <param name="Samples">New samples passed through training.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="Seconds">Time it took, pauses not counted.</param>
/// <param name="EpochLoss">Sum of the losses of the present epoch's steps.</param>
/// <param name="EpochSteps">Steps of the present epoch.</param>
public sealed record LearningTally(long Samples, long Steps, double Seconds, double EpochLoss, long EpochSteps);
