/**
 * A Python program that trains models of several libraries and writes them as ONNX, with sample rows and what the library itself answers: `<name>.onnx` and `<name>.json` in
 * the folder that is its first argument. It tells the names on standard output, and leaves out what is not installed.
 */
export const FOREIGN_MODELS = `
import json, sys
from pathlib import Path
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

folder = Path(sys.argv[1])
random = np.random.default_rng(7)
rows = pd.DataFrame({
    'amount': random.normal(size=400).astype('float32'),
    'visits': random.integers(0, 9, 400).astype('float32'),
    'age': random.uniform(18, 90, 400).astype('float32'),
    'country': random.choice(['de', 'fr', 'us'], 400),
})
numbers = ['amount', 'visits', 'age']
late = (rows.amount + rows.visits / 4 + (rows.country == 'de') > 1).astype(int).to_numpy()
kind = np.array(['low', 'middle', 'high'])[np.digitize(rows.visits, [3, 6])]
value = (rows.amount * 3 + rows.visits).to_numpy()
X = rows[numbers].to_numpy()
sample = rows[:20]
options = {'zipmap': False}

def save(name, model, columns, answers, output=None):
    (folder / f'{name}.onnx').write_bytes(model.SerializeToString())
    described = {'sample': json.loads(sample[columns].to_json(orient='records')), 'answers': np.asarray(answers, dtype=float).ravel().tolist(), 'output': output}
    (folder / f'{name}.json').write_text(json.dumps(described))
    print(name)

linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, late)
probabilities = linear.predict_proba(X[:20])[:, 1]
save('scikit-linear', to_onnx(linear, X[:1], options={id(linear): options}), numbers, probabilities)
save('scikit-zipmap', to_onnx(linear, X[:1]), numbers, probabilities)

mixed = make_pipeline(
    ColumnTransformer([('numbers', StandardScaler(), numbers), ('texts', OneHotEncoder(handle_unknown='ignore'), ['country'])]),
    LogisticRegression(),
).fit(rows, late)
types = [(name, StringTensorType([None, 1]) if name == 'country' else FloatTensorType([None, 1])) for name in rows.columns]
save('scikit-columns', to_onnx(mixed, initial_types=types, options={id(mixed): options}), list(rows.columns), mixed.predict_proba(sample)[:, 1])

forest = RandomForestClassifier(20, random_state=1).fit(X, kind)
save('scikit-forest', to_onnx(forest, X[:1], options={id(forest): options}), numbers, forest.predict_proba(X[:20]))

boosted = GradientBoostingRegressor(random_state=1).fit(X, value)
save('scikit-regressor', to_onnx(boosted, X[:1]), numbers, boosted.predict(X[:20]))

try:
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType as Floats
    typed = [('input', Floats([None, len(numbers)]))]
    try:
        from xgboost import XGBClassifier, XGBRegressor
        trees = XGBClassifier(n_estimators=20, max_depth=3).fit(X, late)
        save('xgboost-classifier', convert_xgboost(trees, initial_types=typed), numbers, trees.predict_proba(X[:20])[:, 1])
        trees = XGBRegressor(n_estimators=20, max_depth=3).fit(X, value)
        save('xgboost-regressor', convert_xgboost(trees, initial_types=typed), numbers, trees.predict(X[:20]))
    except ImportError:
        pass
    try:
        from lightgbm import LGBMClassifier
        trees = LGBMClassifier(n_estimators=20, verbose=-1).fit(X, late)
        save('lightgbm-classifier', convert_lightgbm(trees, initial_types=typed, zipmap=False), numbers, trees.predict_proba(X[:20])[:, 1])
    except ImportError:
        pass
except ImportError:
    pass
`;
