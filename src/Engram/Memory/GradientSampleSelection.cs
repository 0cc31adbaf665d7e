using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Memory;

/// <summary>
/// GSS-greedy: keeps samples whose loss gradients point in different directions.
/// Aljundi et al. 2019, "Gradient based sample selection for online continual learning", algorithm 2.
/// </summary>
/// <param name="buffer">What it fills; nothing else may fill it.</param>
/// <param name="subset">n: kept samples that a new one is compared with.</param>
/// <param name="random">Decides.</param>
/// <remarks>
/// The n samples to compare with are drawn once per batch, not once per sample, and gradients are those of the
/// parameters after the step, without dropout. The first sample of all has nothing to be compared with; its score is 1
/// (similarity 0).
/// </remarks>
internal sealed class GradientSampleSelection(ReplayBuffer buffer, int subset, SeededRandom random)
{
    private readonly List<double> _scores = [];

    public IReadOnlyList<double> Scores => _scores;

    public long Bytes => _scores.Count * (long)sizeof(double);

    public void Offer(LearningContext context, BatchPart part)
    {
        using var scope = NewDisposeScope();
        var training = context.Model.training;
        context.Model.eval();
        Tensor? compared = null; // [n, parameters], unit rows
        if (buffer.Count > 0)
        {
            var sample = buffer.Read(context, buffer.Draw(subset));
            compared = stack([.. Enumerable.Range(0, sample.Count).Select(row => Direction(context, sample, row))]);
        }
        for (var row = 0; row < part.Count; row++)
        {
            using var step = NewDisposeScope();
            var direction = Direction(context, part, row);
            var score = compared is null ? 1 : compared.mv(direction).max().item<float>() + 1.0;
            Place(part, row, score, context.Experience.Index);
            compared ??= direction.unsqueeze(0).MoveToOuterDisposeScope();
        }
        if (training) context.Model.TrainMode(context.Completed);
    }

    /// <summary>Lines 6 to 14 of algorithm 2: c is the greatest cosine similarity + 1.</summary>
    internal void Place(BatchPart part, int row, double c, int experience)
    {
        if (buffer.Count < buffer.Capacity)
        {
            buffer.Keep(part, row, experience);
            _scores.Add(c);
            return;
        }
        if (c >= 1) return;
        var i = Pick();
        if (random.NextDouble() >= _scores[i] / (_scores[i] + c)) return;
        buffer.Keep(part, row, experience, i);
        _scores[i] = c;
    }

    public void Save(MechanismState state)
    {
        state.Values["gssScores"] = new JsonArray([.. _scores.Select(score => (JsonNode)score)]);
        state.Values["gssRandom"] = new JsonArray([.. random.State.Select(word => (JsonNode)word)]);
    }

    public void Load(MechanismState state)
    {
        _scores.AddRange(state.Values.List<double>("gssScores"));
        random.State = state.Values.List<ulong>("gssRandom");
    }

    // i with probability C_i / Σ_j C_j.
    private int Pick()
    {
        var left = random.NextDouble() * _scores.Sum();
        for (var i = 0; i < _scores.Count - 1; i++)
            if ((left -= _scores[i]) < 0) return i;
        return _scores.Count - 1;
    }

    private static Tensor Direction(LearningContext context, BatchPart part, int row)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var gradient = context.GradientOf(() => context.Targets.LossPerSample(
            context.Model.forward(part.Inputs.narrow(0, row, 1)), part.Targets.narrow(0, row, 1), part.Tasks?.narrow(0, row, 1)).sum());
        return nn.functional.normalize(gradient, dim: 0).MoveToOuterDisposeScope();
    }
}
