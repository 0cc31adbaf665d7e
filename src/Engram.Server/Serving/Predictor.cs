using System.Runtime.InteropServices;
using Engram.Analytic;
using Engram.Learning;
using Engram.Persistence;
using static TorchSharp.torch;

namespace Engram.Server.Serving;

/// <summary>Scores of samples by one version's model. Nothing in it changes; several threads may ask at once.</summary>
internal abstract class Predictor : IDisposable
{
    /// <summary>The labels, by class id.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>Bytes that it holds.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>Loads what a bundle needs to predict.</summary>
    /// <param name="bundle">Folder of the bundle.</param>
    /// <param name="closedForm">Whether it holds a closed form.</param>
    /// <param name="resume">Loads the learner whole, where its mechanisms take part in prediction.</param>
    /// <exception cref="InvalidDataException">The bundle is damaged.</exception>
    public static Predictor Load(string bundle, bool closedForm, Func<IContinualLearner> resume)
    {
        if (closedForm) return new LearnerPredictor(AnalyticBundle.Load(bundle));
        return Bundle.ReadManifest(bundle).Mechanisms.Any(mechanism => mechanism.Predicts)
            ? new LearnerPredictor(resume())
            : new ModelPredictor(Bundle.LoadModel(bundle));
    }

    /// <summary>Scores, row by row, and how far each sample is from the nearest class where the model has distances.</summary>
    /// <param name="inputs"><c>[rows, ...]</c>; nothing of the caller's scope is left behind.</param>
    public (float[] Scores, float[]? Distances) Score(Tensor inputs)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return (Numbers(Scores(inputs)), Distances(inputs) is { } distances ? Numbers(distances) : null);
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>float32 <c>[rows, classes]</c>; minus infinity for a class without samples.</summary>
    protected abstract Tensor Scores(Tensor inputs);

    /// <summary>float32 <c>[rows]</c>.</summary>
    protected virtual Tensor? Distances(Tensor inputs) => null;

    private static float[] Numbers(Tensor tensor)
    {
        using var whole = tensor.contiguous();
        return MemoryMarshal.Cast<byte, float>(whole.bytes).ToArray();
    }

    private sealed class LearnerPredictor(IContinualLearner learner) : Predictor
    {
        public override IReadOnlyList<string> Labels { get; } = [.. learner.Classes.Classes.Select(key => key.Label.Name)];

        public override long MemoryBytes => learner is AnalyticLearner closed ? closed.MemoryBytes
            : ((Learner)learner).Context.Arena.Values.numel() * 4 + ((Learner)learner).Mechanisms.Sum(mechanism => mechanism.MemoryBytes);

        public override void Dispose() => learner.Dispose();

        protected override Tensor Scores(Tensor inputs) => learner.Scores(inputs);

        protected override Tensor? Distances(Tensor inputs) => (learner as IClassDistances)?.Distances(inputs).amin([1L]);
    }

    private sealed class ModelPredictor(LoadedModel model) : Predictor
    {
        public override IReadOnlyList<string> Labels { get; } = [.. model.Classes.Classes.Select(key => key.Label.Name)];

        public override long MemoryBytes { get; } =
            model.Model.parameters().Concat(model.Model.buffers()).Sum(tensor => tensor.numel() * tensor.element_size());

        public override void Dispose() => model.Dispose();

        protected override Tensor Scores(Tensor inputs) => model.Scores(inputs);
    }
}
