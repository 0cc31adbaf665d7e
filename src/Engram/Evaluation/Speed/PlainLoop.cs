using Engram.Data;
using TorchSharp.Modules;

namespace Engram.Evaluation.Speed;

/// <summary>The training loop that one writes with TorchSharp alone: what speeds are compared with.</summary>
/// <remarks>
/// The usual loop is that of TorchSharp's examples: its <c>DataLoader</c>, shuffled, over floats that are ready. The bare loop takes its batches from
/// one tensor itself; its samples stay bytes and become floats in the batch, as in the library, so that both do the same work.
/// </remarks>
internal sealed class PlainLoop : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly optim.Optimizer _optimizer;
    private readonly Tensor _inputs;
    private readonly Tensor _targets;
    private readonly int _batchSize;
    private readonly IterableDataLoader? _loader;
    private IEnumerator<IList<Tensor>>? _batches;

    private PlainLoop(nn.Module<Tensor, Tensor> model, ISampleSource source, int batchSize, bool usual, params long[] shape)
    {
        (_model, _batchSize) = (model, batchSize);
        _optimizer = optim.Adam(model.parameters());
        var all = source.Gather([.. Enumerable.Range(0, source.Count).Select(index => (long)index)]);
        _inputs = all.Inputs.reshape([source.Count, .. shape]);
        _targets = all.Targets;
        if (!usual) return;
        using var bytes = _inputs;
        _inputs = bytes.to(ScalarType.Float32).div_(Held(255));
        _loader = utils.data.DataLoader(utils.data.TensorDataset(_inputs, _targets), batchSize, shuffle: true, drop_last: true);
    }

    public static PlainLoop Mlp(ISampleSource source, int batchSize, bool usual) => new(
        nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10)), source, batchSize, usual, 784);

    public static PlainLoop Cnn(ISampleSource source, int batchSize) => new(
        nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
            nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)), source, batchSize, true, 1, 28, 28);

    /// <summary>Trains on as many batches.</summary>
    public void Run(int steps)
    {
        using var order = randperm(_targets.size(0));
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var (inputs, targets) = _loader is null ? Bare(order, step) : Loaded();
            _optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(_model.call(inputs), targets);
            loss.backward();
            _optimizer.step();
        }
    }

    private (Tensor Inputs, Tensor Targets) Bare(Tensor order, int step)
    {
        var rows = order.narrow(0, step * _batchSize % (_targets.size(0) - _batchSize), _batchSize);
        return (_inputs.index_select(0, rows).to(ScalarType.Float32).div(Held(255)), _targets.index_select(0, rows));
    }

    // The next batch of the epoch, or the first of another.
    private (Tensor Inputs, Tensor Targets) Loaded()
    {
        while (_batches is null || !_batches.MoveNext())
        {
            _batches?.Dispose();
            _batches = _loader!.GetEnumerator();
        }
        return (_batches.Current[0], _batches.Current[1]);
    }

    /// <summary>The matrix products of one step of the MLP, and nothing else.</summary>
    public static void Products(int batchSize, int steps)
    {
        using var outer = NewDisposeScope();
        using var _ = no_grad();
        var (x, w1, w2, w3) = (rand(batchSize, 784), rand(400, 784), rand(400, 400), rand(10, 400));
        var (h1, h2, logits) = (rand(batchSize, 400), rand(batchSize, 400), rand(batchSize, 10));
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            mm(x, w1.t());
            mm(h1, w2.t());
            mm(h2, w3.t());
            mm(logits.t(), h2);
            mm(logits, w3);
            mm(h2.t(), h1);
            mm(h2, w2);
            mm(h1.t(), x);
        }
    }

    public void Dispose()
    {
        _batches?.Dispose();
        _loader?.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
        _inputs.Dispose();
        _targets.Dispose();
    }
}
