namespace Engram.Learning;

/// <summary>Where training stands; reported a few times a second.</summary>
/// <param name="Experience">Index of the experience.</param>
/// <param name="Epoch">Pass over it, from 1.</param>
/// <param name="Epochs">Passes in all.</param>
/// <param name="Step">Steps done in this experience.</param>
/// <param name="Steps">Steps of this experience in all.</param>
/// <param name="Samples">New samples seen in this experience.</param>
/// <param name="SamplesPerSecond">Mean rate over this call of <see cref="Learner.Learn"/>, replayed samples not counted.</param>
/// <param name="Loss">Mean loss since the last report.</param>
/// <param name="Activity">What is going on, for example <c>training</c> or <c>consolidating</c>.</param>
public sealed record LearningProgress(
    int Experience, int Epoch, int Epochs, long Step, long Steps, long Samples, double SamplesPerSecond, double Loss,
    string Activity);

/// <summary>What learning one experience took, over all calls of <see cref="Learner.Learn"/> where it was interrupted.</summary>
/// <param name="Samples">New samples passed through training.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="Seconds">Time it took, with the mechanisms' work before and after.</param>
/// <param name="Loss">Mean loss over the last epoch.</param>
public sealed record LearningResult(long Samples, long Steps, double Seconds, double Loss);
