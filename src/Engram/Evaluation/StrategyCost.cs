using System.Diagnostics;
using Engram.Learning;

namespace Engram.Evaluation;

/// <summary>What a strategy cost over its whole stream.</summary>
/// <param name="Parameters">Numbers that are trained, at the end.</param>
/// <param name="MultiplyAdds">Multiplications with an addition in the model's forward pass of one sample, at the end, in its linear and convolution layers.</param>
/// <param name="SamplesStored">Samples that the mechanisms keep at the end.</param>
/// <param name="BytesPerClass">Bytes that the mechanisms hold at the end, by class known.</param>
/// <param name="TrainSeconds">Training time, with what mechanisms do before and after.</param>
/// <param name="PredictSeconds">Time to predict one sample, over all tests.</param>
/// <param name="PeakMemoryBytes">Greatest memory of the process by the end of the strategy, whatever ran in it before.</param>
public sealed record StrategyCost(
    long Parameters, long MultiplyAdds, long SamplesStored, double BytesPerClass, double TrainSeconds, double PredictSeconds,
    long PeakMemoryBytes)
{
    internal static StrategyCost Of(Learner learner, IReadOnlyList<ExperienceCost> costs, long predicted)
    {
        using var process = Process.GetCurrentProcess();
        var classes = Math.Max(learner.Classes.Count, 1);
        return new StrategyCost(
            learner.Context.Arena.Length, ModelWork.MultiplyAdds(learner), learner.Mechanisms.Sum(mechanism => mechanism.SamplesStored),
            (double)learner.Mechanisms.Sum(mechanism => mechanism.MemoryBytes) / classes, costs.Sum(cost => cost.TrainSeconds),
            predicted == 0 ? double.NaN : costs.Sum(cost => cost.EvaluationSeconds) / predicted, process.PeakWorkingSet64);
    }
}
