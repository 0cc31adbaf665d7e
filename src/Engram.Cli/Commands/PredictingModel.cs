using Engram.Analytic;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;
using TorchSharp;

namespace Engram.Cli.Commands;

/// <summary>What predicts, from a bundle of either kind.</summary>
/// <param name="Classes">Its labels by id.</param>
/// <param name="InputShape">Shape of one sample.</param>
/// <param name="InputType">Byte or Float32.</param>
/// <param name="Kind">What its outputs stand for.</param>
/// <param name="NeedsTask">Whether a task must be named.</param>
/// <param name="Predict">Predicts samples, of a task where one is needed.</param>
/// <param name="Owner">What is freed with it.</param>
internal sealed record PredictingModel(
    ClassRegistry Classes, IReadOnlyList<long> InputShape, torch.ScalarType InputType, TargetKind Kind, bool NeedsTask,
    Func<torch.Tensor, int?, Prediction> Predict, IDisposable Owner) : IDisposable
{
    /// <summary>Loads the model of a bundle.</summary>
    /// <exception cref="FailureException">It has learnt nothing, or its inputs are not known.</exception>
    public static PredictingModel Load(string path)
    {
        var bundle = Bundle.Describe(path);
        if (bundle.Classes.Count == 0 || bundle.Learnt.Count == 0 && bundle.InputShape is null)
            throw new FailureException("bundle: has learnt nothing, expected a model that knows a class");
        if (bundle is not { InputShape: { } shape, InputType: { } type })
            throw new FailureException("bundle: does not say what a sample is (an analytic learner's, version 1), expected one saved since");
        if (bundle.Kind == BundleKind.Analytic)
        {
            var learner = AnalyticBundle.Load(path);
            return new(learner.Classes, shape, type, TargetKind.Classes, false, (samples, _) => learner.Predict(samples), learner);
        }
        var kind = bundle.LearnerManifest!.Learner.TargetKind;
        if (bundle.LearnerManifest.Mechanisms.Any(mechanism => mechanism.Predicts))
        {
            var learner = Bundle.LoadToPredict(path);
            return new(learner.Classes, shape, type, kind, learner.Scenario == Scenario.TaskIncremental, learner.Predict, learner);
        }
        var model = Bundle.LoadModel(path);
        return new(model.Classes, shape, type, kind, model.NeedsTask, model.Predict, model);
    }

    public void Dispose() => Owner.Dispose();
}
